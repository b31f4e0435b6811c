#!/usr/bin/env bash
# Start an image as a task would run it, and have it answer a call; what does not is not worth a push.
#
#   cicd/3-app/aiproxy/try-image.sh IMAGE
#
# The image runs with a read-only root and without capabilities, as in a task, and without a vendor's key: the built-in
# echo answers. Exit code 0: it answered; 1: it did not; 2: wrong usage.
set -euo pipefail

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
esac
if [[ $# != 1 || -z $1 ]]; then
  echo "try-image.sh: the image is missing (see --help)" >&2
  exit 2
fi

AIPROXY_API_KEY=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') # of this run
export AIPROXY_API_KEY
container=$(docker run --detach --init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
  --env ENVIRONMENT_TYPE=development --env AIPROXY_API_KEY "$1")
trap 'docker rm --force --volumes "$container" >/dev/null' EXIT

seconds=0
until docker exec "$container" python bin/healthcheck >/dev/null 2>&1; do
  if ((seconds++ == 60)) || [[ $(docker inspect --format '{{.State.Running}}' "$container") == false ]]; then
    echo "try-image.sh: $1 has ended, or is not ready after a minute:" >&2
    docker logs --tail 50 "$container" >&2
    exit 1
  fi
  sleep 1
done

docker exec --interactive "$container" python - <<'END'
import json, os, urllib.request

body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}).encode()
headers = {"Authorization": f"Bearer {os.environ['AIPROXY_API_KEY']}", "Content-Type": "application/json"}
url = f"http://127.0.0.1:{os.environ['PORT']}/v1/chat/completions"
answer = json.load(urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30))
assert answer["choices"][0]["message"]["content"], answer
END
echo "$1 answers."
