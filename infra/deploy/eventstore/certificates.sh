#!/bin/sh
# Makes an authority, and a certificate of EventStoreDB for one node or for all of a cluster:
#   sh certificates.sh FOLDER [NAME ...]
# FOLDER gets ca/ca.crt (gateways trust it), node.crt and node.key, as compose.eventstore-tls.yaml mounts them. The nodes are
# known as 127.0.0.1, localhost and each NAME, a host name or an IPv4 address. The authority's key is not kept: for other
# names, and before ten years have passed, run it again into a new folder.
set -eu
umask 077

folder=$1
shift
names='IP:127.0.0.1,DNS:localhost'
for name in "$@"; do
  case $name in
    *[!0-9.]*) names="$names,DNS:$name" ;;
    *) names="$names,IP:$name" ;;
  esac
done

mkdir "$folder" "$folder/ca"
cd "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 -subj '/CN=Muster event store authority' \
  -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout ca.key -out ca/ca.crt
openssl req -new -newkey rsa:2048 -nodes -sha256 -subj '/CN=eventstoredb-node' -keyout node.key -out node.csr
# It is shown to clients and to other nodes, so it is both a server's and a client's.
printf '%s\n' "subjectAltName=$names" 'basicConstraints=CA:FALSE' 'keyUsage=critical,digitalSignature,keyEncipherment' \
  'extendedKeyUsage=serverAuth,clientAuth' >node.ext
openssl x509 -req -in node.csr -CA ca/ca.crt -CAkey ca.key -CAcreateserial -sha256 -days 3650 -extfile node.ext \
  -out node.crt
rm -f ca.key node.csr node.ext ca/ca.srl ca.srl

# The key is for the user of EventStoreDB's image alone (uid 1000), the certificates are no secret.
chmod 755 . ca
chmod 644 node.crt ca/ca.crt
if [ "$(id -u)" -eq 0 ]; then chown 1000:1000 node.key; fi
