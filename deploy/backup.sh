#!/bin/sh
# 备份：数据库和附件，放进一个带日期的文件夹。每天由 cron 以能读 /etc/yinyao/env 的用户运行：
#   30 2 * * * set -a; . /etc/yinyao/env; set +a; /srv/yinyao/deploy/backup.sh /var/backups/yinyao
# 需要 DATABASE_URL；有 PRIVATE_ROOT 时一并备份附件；PG_DUMP 可指定与服务器同版本的 pg_dump。
# 另外单独保存 SECRET_KEY 和 DIGEST_KEY：没有它们，备份恢复后历史摘要对不上。
#
# 恢复到一个空数据库（服务先停下）：
#   pg_restore --no-owner --exit-on-error --dbname "$DATABASE_URL" 备份文件夹/yinyao.dump
#   tar -xzf 备份文件夹/private.tar.gz -C "$PRIVATE_ROOT"
set -eu
umask 077
: "${DATABASE_URL:?请先设置 DATABASE_URL}"
target=${1:?用法：backup.sh 备份放在哪个文件夹}

# A pg_dump older than the server refuses; a newer one writes what the server may not read back.
server=$(psql -XAt "$DATABASE_URL" -c "SELECT current_setting('server_version_num')::int / 10000")
for candidate in "${PG_DUMP:-}" "/usr/lib/postgresql/$server/bin/pg_dump" pg_dump; do
    [ -n "$candidate" ] || continue
    case $("$candidate" --version 2>/dev/null || true) in
        *" $server."*) dump=$candidate; break ;;
    esac
done
if [ -z "${dump:-}" ]; then
    echo "没有 $server 版的 pg_dump：请安装 postgresql-client-$server，或设置 PG_DUMP。" >&2
    exit 1
fi

folder=$target/$(date +%Y%m%d-%H%M%S)
mkdir -p "$folder.part"
"$dump" --format=custom --file="$folder.part/yinyao.dump" "$DATABASE_URL"
if [ -n "${PRIVATE_ROOT:-}" ] && [ -d "$PRIVATE_ROOT" ]; then
    tar -czf "$folder.part/private.tar.gz" -C "$PRIVATE_ROOT" .
fi
mv "$folder.part" "$folder" # only a whole backup has this name
psql -XAqt "$DATABASE_URL" -c "INSERT INTO cadres_heartbeat (name, beat_at) VALUES ('backup', now())
    ON CONFLICT (name) DO UPDATE SET beat_at = now()" # the office's home says how old it is
echo "已备份到 $folder"
