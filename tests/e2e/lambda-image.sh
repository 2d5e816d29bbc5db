#!/usr/bin/env bash
# See to it that AWS's Lambda base image for Python is there, under the name `sam local` looks for: the
# real one if it can be pulled, else a stand-in from this machine (Debian or Ubuntu): its CPython, AWS's runtime
# interface client, boto3. Good for behaviour; no proof of binary compatibility with Amazon Linux. Says which.
#   usage: lambda-image.sh PYTHON UV    SAM CLI's own Python, which is also the one to take; what installs packages
set -euo pipefail
cd "$(dirname "$0")"
python=$1 uv=$2
case $(uname -m) in x86_64) arch=x86_64 ;; *) arch=arm64 ;; esac
tag=$("$python" -P -c 'from samcli.local.docker.lambda_image import LambdaImage as i; print(i._INVOKE_REPO_PREFIX)')/python:3.13-$arch
recipe=$(cat lambda-image.sh ../../requirements/lambda-image.txt | sha256sum | cut -c 1-16)

if [ "$(docker image inspect -f '{{index .Config.Labels "stand-in"}}' "$tag" 2>/dev/null)" = "$recipe" ]; then
    echo "$tag: a stand-in, built from this machine earlier"
    exit
fi
if timeout 120 docker pull --quiet "$tag" >/dev/null 2>&1; then
    echo "$tag: AWS's own"
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/rootfs lang=$work/rootfs/var/lang runtime=$work/rootfs/var/runtime
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')

# 1. Directories, and a static busybox for the RUN lines that SAM CLI adds (mv, chmod, cp, rm).
mkdir -p "$root"/{bin,etc,lib,lib64,opt,tmp,usr/lib/ssl,var/task} "$lang"/{bin,lib} "$runtime"
chmod 1777 "$root/tmp"
download() (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download busybox-static)
download 2>/dev/null || { apt-get -qq update && download; } >&2
dpkg -x "$work"/busybox-static_*.deb "$work/busybox"
cp "$work/busybox/bin/busybox" "$root/bin/"
for tool in sh mv chmod cp rm ls cat; do ln -s busybox "$root/bin/$tool"; done

# 2. The interpreter and its standard library, less what a Lambda has no use for.
cp "$prefix/bin/python3.13" "$lang/bin/"
find "$prefix/lib" -maxdepth 1 -name 'libpython3.13.so.1.0' -exec cp {} "$lang/lib/" \; # of a shared build
tar -C "$prefix/lib" -c --exclude={site-packages,test,'config-*',idlelib,tkinter,turtledemo,ensurepip,pydoc_data} \
    --exclude={'_tkinter*','_test*','*.opt-?.pyc'} python3.13 | tar -C "$lang/lib" -x

# 3. AWS's runtime interface client, and boto3 as in the managed runtime.
"$uv" pip install --quiet --python "$python" --only-binary :all: --require-hashes \
    --requirement ../../requirements/lambda-image.txt --target "$lang/lib/python3.13/site-packages"
cat > "$runtime/bootstrap" <<'SH'
#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13
export PYTHONPATH=/var/task:/opt/python/lib/python3.13/site-packages:/opt/python:/var/runtime
exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
SH
chmod +x "$runtime/bootstrap"

# 4. The shared libraries that all that needs, and those that manylinux wheels may need besides (glibc's
#    stubs, libgcc, libstdc++); the loader where binaries look for it; certificates, names, host lookup.
find "$lang" -type f \( -name '*.so*' -o -path "$lang/bin/*" \) -exec env LD_LIBRARY_PATH="$lang/lib" ldd {} + |
    awk '$2 == "=>" && $3 ~ "^/(usr/)?lib" {print $3}' | sort -u | xargs -I{} cp -L {} "$root/lib64/"
for lib in librt.so.1 libdl.so.2 libpthread.so.0 libutil.so.1 libresolv.so.2 libgcc_s.so.1 libstdc++.so.6; do
    cp -L "/lib/$(uname -m)-linux-gnu/$lib" "$root/lib64/"
done
cp -L --parents "$(ldd "$prefix/bin/python3.13" | awk '$1 ~ "/ld-linux" {print $1}')" "$root/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem" # where Debian's OpenSSL looks
echo 'root:x:0:0:root:/root:/bin/sh' > "$root/etc/passwd"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"

# 5. One image layer, with the environment of the real image; then see that it runs.
tar -C "$root" --owner=0 --group=0 -c . | docker import -c 'WORKDIR /var/task' -c "LABEL stand-in=$recipe" \
    -c 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin LANG=C.UTF-8 TZ=UTC' \
    -c 'ENV LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib' \
    -c 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' - "$tag" >/dev/null
docker run --rm --network none "$tag" python3.13 -c 'import awslambdaric, boto3, ctypes, lzma, sqlite3, ssl'
echo "$tag: a stand-in, built from this machine, because AWS's own could not be pulled"
