# shellcheck shell=bash
# The steps of install.sh, which sources this. Each may be carried out twice: what is right already stays as it is.
# They use its `chosen`, `names`, `root`, `purge` and `here`.
# shellcheck disable=SC2154 # which are assigned there

app=/opt/aiproxy
settings=/etc/aiproxy
state=/var/lib/aiproxy
unit_path=/etc/systemd/system/aiproxy.service
site_path=/etc/nginx/conf.d/aiproxy.conf
changed=' ' # the paths that were written, with blanks around them

say() { echo "install.sh: $1"; }

fail() { # fail MESSAGE: the exit of a failed step
  echo "install.sh: $1" >&2
  exit 1
}

# ---- texts ----

listen_lines() { # listen_lines PORT WORDS: the `listen` directives of a server
  if [[ ${chosen[LISTEN]} != all ]]; then
    echo "    listen ${chosen[LISTEN]}:$1$2;"
    return
  fi
  echo "    listen $1$2;"
  [[ ! -e /proc/net/if_inet6 ]] || echo "    listen [::]:$1$2;"
}

real_ip_lines() { # the caller's address, when other proxies stand before this one; else nothing
  [[ ${chosen[BEHIND]} != none ]] || return 0
  local proxies
  IFS=, read -r -a proxies <<<"${chosen[BEHIND]}"
  printf '\n    # The proxies before this one: the caller is the right-most address that is none of them.\n'
  printf '    set_real_ip_from %s;\n' "${proxies[@]}"
  printf '    real_ip_header X-Forwarded-For;\n    real_ip_recursive on;\n'
}

render() { # render FILE: a template of this folder with its @NAMES@ filled in
  local text name suffix='' longest=${chosen[MAX_CALL_SECONDS]}
  ((chosen[HTTPS_PORT] == 443)) || suffix=:${chosen[HTTPS_PORT]}
  local -A value=(
    [APP]=$app [LOGS]=/var/log/nginx [ACME]=/var/www/html [HTTPS_SUFFIX]=$suffix
    # after its deadline a call has 10 s to say so; then gunicorn's own 6 s; systemd comes last
    [GRACE_SECONDS]=$((longest + 10)) [NGINX_SECONDS]=$((longest + 10)) [STOP_SECONDS]=$((longest + 30))
    [LISTEN_HTTP]=$(listen_lines "${chosen[HTTP_PORT]}" '') [LISTEN_HTTPS]=$(listen_lines "${chosen[HTTPS_PORT]}" ' ssl')
    [REAL_IP]=$(real_ip_lines)
  )
  for name in "${names[@]}"; do value[$name]=${chosen[$name]}; done
  text=$(<"$here/$1")
  for name in "${!value[@]}"; do text=${text//"@$name@"/"${value[$name]}"}; done
  printf '%s\n' "$text"
}

put() { # put MODE FILE TEXT: write it when it is another; notes a change
  [[ -f $root$2 && $(<"$root$2") == "$3" ]] && return
  install -D -m "$1" /dev/null "$root$2.new"
  printf '%s\n' "$3" >"$root$2.new"
  mv "$root$2.new" "$root$2"
  say "$2 written"
  changed+="$2 "
}

# ---- the program ----

fetch_program() { # fetch_program FOLDER: the program's files, from a git address, an archive or a checkout
  local source=${chosen[SOURCE]:-$(cd "$here/../.." && pwd)} ref=${chosen[REF]}
  local own=(-C "$1" --no-same-owner --no-same-permissions) # root's, and written by nobody else, whoever packed it
  case $source in
    *.tar.gz | *.tgz) tar -xzf "$source" "${own[@]}" --strip-components=1 ;;
    *://* | *@*:* | *.git) git clone --quiet --depth 1 ${ref:+--branch "$ref"} "$source" "$1" ;;
    *) git -c safe.directory="$source" -C "$source" archive "${ref:-HEAD}" | tar -x "${own[@]}" ;;
  esac
  [[ -f $1/gunicorn.conf.py && -x $1/bin/setup.sh ]] || fail "$source does not hold the program"
}

same_program() { # whether what is installed is what was fetched
  local ours=(.venv .git __pycache__ config.txt access.toml)
  diff --recursive --brief "${ours[@]/#/--exclude=}" "$1" "$root$app" >/dev/null 2>&1
}

put_program() { # it is made ready beside the older one, which runs on meanwhile, and stays when a step fails
  local new=$root$app.new
  rm -rf "$new" "$root$app.old"
  mkdir -p "$new"
  fetch_program "$new"
  if same_program "$new"; then
    rm -rf "$new"
    make_ready "$root$app"
    return
  fi
  [[ ! -d $root$app/.venv ]] || cp -a "$root$app/.venv" "$new/.venv" # setup.sh brings it up to date
  make_ready "$new"
  { grep -lrIZ "^#!$new/" "$new/.venv/bin" || true; } | xargs -0 -r sed -i "1s|^#!$new/|#!$root$app/|"
  [[ ! -d $root$app ]] || mv "$root$app" "$root$app.old"
  mv "$new" "$root$app"
  rm -rf "$root$app.old"
  say "$app written"
  changed+="$app "
}

make_ready() { # make_ready FOLDER: what the program needs, in a folder with its files
  ln -sfn "$settings/config.txt" "$1/config.txt" # so that bin/keys and the server read the same
  ln -sfn "$settings/access.toml" "$1/access.toml"
  "$1/bin/setup.sh"
  "$1/.venv/bin/python" -m compileall -q "$1/lib" "$1/src" # the service cannot write there
}

put_user() {
  [[ -n $root ]] || id aiproxy >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin aiproxy
}

first_settings() { # the settings of a first start: closed by default, with a key that nobody else has
  cat <<END
# Settings of the AI Proxy. $app/config.txt.sample has them all. After a change: systemctl reload aiproxy
# (and restart for HOST, PORT and the like). What nginx relies on is set in the unit and cannot be changed here.
ENVIRONMENT_TYPE=production
DATABASE_URL=sqlite:///$state/aiproxy.db
AIPROXY_API_KEY=$(head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' '-_')
END
}

kept() { # the answers for the next time; where the program comes from is asked anew
  local each
  for each in "${names[@]}"; do
    [[ $each == SOURCE || $each == REF ]] || echo "$each=${chosen[$each]}"
  done
}

put_settings() {
  install -d -m 0750 "$root$settings"
  install -d -m 0700 "$root$state"
  [[ -e $root$settings/config.txt ]] || put 0600 "$settings/config.txt" "$(first_settings)"
  chmod 0600 "$root$settings/config.txt"
  put 0644 "$settings/install.conf" "$(kept)"
  [[ -n $root ]] || { chown root:aiproxy "$settings" && chown aiproxy:aiproxy "$settings/config.txt" "$state"; }
}

# ---- services ----

systemd_runs() { [[ -d $root/run/systemd/system ]]; }

put_service() {
  put 0644 "$unit_path" "$(render aiproxy.service)"
  systemd_runs || { say 'systemd does not run here: the unit is not started'; return; }
  systemctl daemon-reload
  systemctl --quiet enable aiproxy
  if ! systemctl --quiet is-active aiproxy; then
    systemctl start aiproxy
  elif [[ $changed == *" $unit_path "* || $changed == *" $app "* ]]; then
    say "restarting; open calls may go on for ${chosen[MAX_CALL_SECONDS]} s"
    systemctl restart aiproxy
  fi
}

nginx_conf() { printf '%s\n' "${NGINX_CONF:-/etc/nginx/nginx.conf}"; }

put_site() {
  [[ ${chosen[DOMAIN]} != none ]] || { remove_site; return; }
  local before=
  [[ -n $root ]] || command -v nginx >/dev/null || fail 'nginx is not installed: apt-get install nginx-light'
  [[ ! -f $root$site_path ]] || before=$(<"$root$site_path")
  put 0644 "$site_path" "$(render nginx-site.conf)"
  [[ -z $root || -n ${NGINX_CONF:-} ]] || return 0
  if ! nginx -t -q -c "$(nginx_conf)"; then
    if [[ -n $before ]]; then printf '%s\n' "$before" >"$root$site_path"; else rm "$root$site_path"; fi
    fail 'nginx refuses the site, which is as it was before'
  fi
  systemd_runs && systemctl reload-or-restart nginx
  warn_of_few_connections
}

warn_of_few_connections() { # Debian's 768 connections a worker are 384 streams
  local most
  most=$(sed -n 's/^[[:space:]]*worker_connections[[:space:]]\+\([0-9]\+\);.*/\1/p' "$(nginx_conf)")
  ((${most:-0} >= 4096)) || say "nginx takes ${most:-512} connections a worker, two for each call: see README.md"
}

remove_site() {
  [[ -f $root$site_path ]] || return 0
  rm "$root$site_path"
  say "$site_path removed"
  systemd_runs && systemctl reload-or-restart nginx
  return 0
}

wait_until_ready() {
  local tries url=https://${chosen[DOMAIN]}:${chosen[HTTPS_PORT]}/monitoring/ready
  for ((tries = 60; tries; tries--)); do
    HOST=127.0.0.1 PORT=${chosen[PORT]} "$root$app/.venv/bin/python" "$root$app/bin/healthcheck" 2>/dev/null && break
    sleep 1
  done
  ((tries)) || fail 'the program is not ready after a minute: journalctl -u aiproxy'
  [[ ${chosen[DOMAIN]} != none ]] && command -v curl >/dev/null || return 0
  # -k: what matters here is the way through nginx; who made the certificate is the callers' business
  curl -fsSk --max-time 5 --resolve "${chosen[DOMAIN]}:${chosen[HTTPS_PORT]}:127.0.0.1" "$url" >/dev/null ||
    fail "the program is ready, but $url on this machine is not"
}

install_all() {
  put_user
  put_program
  put_settings
  put_service
  put_site
  if ! systemd_runs; then
    say 'done; nothing was started'
    return
  fi
  wait_until_ready
  say "ready. The first key is AIPROXY_API_KEY in $settings/config.txt; vendors' keys go there too"
}

uninstall() {
  if systemd_runs && [[ -f $unit_path ]]; then systemctl --quiet disable --now aiproxy; fi
  rm -f "$root$unit_path"
  if systemd_runs; then systemctl daemon-reload; fi
  remove_site
  rm -rf "$root${app:?}" "$root$app.new" "$root$app.old"
  [[ -z $purge ]] || rm -rf "$root$settings" "$root$state"
  [[ -z $purge || -n $root ]] || ! id aiproxy >/dev/null 2>&1 || userdel aiproxy
  say "removed${purge:+, with settings and data}"
}
