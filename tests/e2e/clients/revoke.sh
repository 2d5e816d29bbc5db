# Revoke an API key with curl: revoke.sh URL TOKEN
curl -sS -X DELETE "$1" \
    -H "Content-Type: application/json" \
    -H "Authorization: Bearer $2"
