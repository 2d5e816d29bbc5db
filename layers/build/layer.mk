# What `sam build` runs for a layer: wheels for the deployment's processor, each refused unless its hash is locked.
# Not SAM CLI's own builder: it fetches wheels for another processor than this machine's without looking at hashes.
PYTHON := python3.13
TARGET := $(or $(ARTIFACTS_DIR),$(error to be run by sam build))/python

.PHONY: build-CoreLayer build-BodiesLayer

# Of cffi, functions need the compiled part that cryptography calls, not the compiler and its parser of C.
build-CoreLayer:
	$(install)
	rm -rf "$(TARGET)/cffi" "$(TARGET)/pycparser"
	cp -R apikeys "$(TARGET)"
	$(compile)

build-BodiesLayer:
	$(install)
	$(compile)

define install
$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps \
	--implementation cp --python-version 3.13 $(addprefix --platform ,$(PLATFORMS)) \
	--no-compile --target "$(TARGET)" --requirement requirements.txt
rm -rf "$(TARGET)/bin"
endef

# A layer is read-only on Lambda: without bytecode beside it, each cold start would compile all it imports.
define compile
find "$(TARGET)" -name __pycache__ -prune -exec rm -rf {} +
$(PYTHON) -m compileall -q --invalidation-mode unchecked-hash "$(TARGET)"
endef
