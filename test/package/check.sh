#!/usr/bin/env bash
# Packs the checkout as for publishing, installs the tarball in an empty project, and uses it there as a stranger would:
# the command runs, the import works, the types resolve under strict NodeNext. Needs `npm ci` before it.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check() {
  printf 'package: %s\n' "$1"
}

check "npx runs the command in the checkout"
npx --no-install sluice --version

check "the tarball holds the build, the licence and the texts, and nothing else"
npm pack --silent --pack-destination "$scratch" >"$scratch/name"
tarball=$scratch/$(tail -n 1 "$scratch/name")
tar -tzf "$tarball" | sed 's|^package/||' | sort >"$scratch/files"
for file in CHANGELOG.md LICENSE README.md package.json dist/index.js dist/index.d.ts dist/cli/main.js dist/workers/entry.js; do
  grep -qx "$file" "$scratch/files" || { echo "missing in the tarball: $file"; exit 1; }
done
if grep -vE '^(dist/.*\.(js|d\.ts)|CHANGELOG\.md|LICENSE|README\.md|package\.json)$' "$scratch/files"; then
  echo "the files above do not belong in the tarball"
  exit 1
fi

check "it installs in an empty project"
mkdir "$scratch/consumer"
cp test/package/consumer.ts "$scratch/consumer"
cd "$scratch/consumer"
npm init --yes >"$scratch/init"
npm pkg set type=module
npm install --no-audit --no-fund --loglevel=error "$tarball"

check "the command runs there"
npx --no-install sluice --version
# A .npy file of the three float32 -1, 0 and 2: magic, version 1.0, the length of the header, the header, the elements.
header="{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
printf '\x93NUMPY\x01\x00\x76\x00%-117s\n\x00\x00\x80\xbf\x00\x00\x00\x00\x00\x00\x00\x40' "$header" >in.npy
npx --no-install sluice apply 'leaky_relu(0.5)' in.npy out.npy
# -0.5 is 000000bf.
tail -c 12 out.npy | od -An -tx1 | grep -qx ' 00 00 00 bf 00 00 00 00 00 00 00 40'

check "the types resolve under strict NodeNext, declaration files checked too"
cat >tsconfig.json <<'JSON'
{
  "compilerOptions": {
    "target": "ES2023",
    "lib": ["ES2023"],
    "types": ["node"],
    "module": "NodeNext",
    "strict": true,
    "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true,
    "skipLibCheck": false
  },
  "files": ["consumer.ts"]
}
JSON
# Only what this package declares is its own fault.
"$root/node_modules/.bin/tsc" -p . >"$scratch/types" || true
if grep -E '^(consumer\.ts|node_modules/sluice/)' "$scratch/types"; then exit 1; fi

check "the import works, and the process ends by itself"
node consumer.js
check "all is well"
