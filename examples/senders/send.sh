#!/bin/sh
# Send an event with curl, which repeats it, under the same message id, while the server asks for patience.
#
#   CHATNATION_WRITE_KEY=… sh send.sh [http://127.0.0.1:8000]
set -eu

server=${1:-http://127.0.0.1:8000}
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
message_id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n' |
  sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)/\1-\2-4\3-a\4-/')

curl --silent --show-error --fail-with-body --max-time 30 --retry 5 \
  --header "X-Write-Key: $CHATNATION_WRITE_KEY" --header "Content-Type: application/json" \
  --data @- "$server/v1/capture" <<JSON
{
  "sent_at": "$now",
  "batch": [
    {
      "message_id": "$message_id",
      "event_name": "payment_success",
      "timestamp": "$now",
      "user_id": "A012345678Z",
      "context": { "library": { "name": "example-curl", "version": "1.0.0" } },
      "properties": { "transaction_id": "TX00000001", "amount": 6375 }
    }
  ]
}
JSON
echo
