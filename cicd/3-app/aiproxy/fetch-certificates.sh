#!/usr/bin/env bash
# Fetch the certificates of Amazon RDS's authorities, which the image holds and tasks check their database's with.
#
#   cicd/3-app/aiproxy/fetch-certificates.sh [FILE]        default: certificates/rds.pem, where the image takes it from
#
# RDS_CERTIFICATES_URL  where they are (default: AWS's own address, after the partition of AWS_REGION); https only
#
# Exit status: 0 when FILE holds certificates, 1 when they cannot be had or are none, and FILE is as it was; 2 for a
# wrong argument. Needs curl and Python.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)

case ${1:-} in
  -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
esac
if (($# > 1)) || [[ ${1:-} == -* ]]; then
  echo "fetch-certificates.sh: one file is expected (see --help)" >&2
  exit 2
fi
file=${1:-$root/certificates/rds.pem}

address() { # as the RDS user guide says, "Using SSL/TLS to encrypt a connection"
  case ${AWS_REGION:-} in
    us-gov-*) echo https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem ;;
    cn-*) echo https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem ;;
    *) echo https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem ;;
  esac
}

authorities() { # authorities FILE: how many it holds, read as the database's client will read it
  python3 -c '
import ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(sys.argv[1])
print(context.cert_store_stats()["x509_ca"])' "$1" 2>/dev/null || echo 0
}

fail() { # fail MESSAGE: exit 1
  echo "fetch-certificates.sh: $1" >&2
  exit 1
}

url=${RDS_CERTIFICATES_URL:-$(address)}
new=$file.new
trap 'rm -f "$new"' EXIT
curl --fail --silent --show-error --proto '=https' --retry 3 --max-time 60 --output "$new" "$url" ||
  fail "the certificates of RDS cannot be had from $url"
count=$(authorities "$new")
((count)) || fail "what came from $url is no file of certificates"
chmod 644 "$new" # the image's user reads it
mv "$new" "$file"
echo "$file: $count authorities, from $url"
