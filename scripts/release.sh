#!/usr/bin/env bash
# release.sh VERSION: moves what CHANGELOG.md has under "Unreleased" to a heading of that version, commits it, and tags it with those notes.
set -euo pipefail
version=${1:-}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "give a version such as VERSION=v0.2.0" >&2; exit 2; }
[ -z "$(git status --porcelain --untracked-files=no)" ] || { echo "commit or set aside what has changed first: a release is made of what is committed" >&2; exit 1; }
! git rev-parse -q --verify "refs/tags/$version" >/dev/null || { echo "$version is a tag already" >&2; exit 1; }
notes=$(awk '/^## /{on=($0=="## Unreleased"); next} on' CHANGELOG.md | sed -e '/./,$!d')
[ -n "$notes" ] || { echo "CHANGELOG.md has nothing under Unreleased: there is nothing to release" >&2; exit 1; }
day=$(date -u +%F)
sed -i "s/^## Unreleased$/## Unreleased\n\n## $version ($day)/" CHANGELOG.md
git commit -q -m "Release $version" -m "$notes" -- CHANGELOG.md
git tag -a "$version" --cleanup=verbatim -m "segedge $version" -m "$notes"
echo "$version is tagged; git push --follow-tags sends it"
