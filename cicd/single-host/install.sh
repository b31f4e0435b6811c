#!/usr/bin/env bash
# Install the AI Proxy on this machine, without containers: a systemd unit, and nginx with TLS in front of it.
#
#   sudo cicd/single-host/install.sh                      asks for what it needs, shows what it will do, asks again
#   sudo cicd/single-host/install.sh --domain ai.example.org --yes
#   sudo cicd/single-host/install.sh --yes                once more: the newest program, the answers of the last time
#   sudo cicd/single-host/install.sh --uninstall          settings and data stay; --purge takes them too
#
#   --domain NAME           the name that callers use. `none`: no nginx, the program listens on 127.0.0.1 alone
#   --certificate FILE      its certificate with the chain; by default where certbot puts it. None is made here
#   --certificate-key FILE
#   --max-call-seconds N    how long a call may take (300); every timeout of nginx and systemd follows from it
#   --max-body-bytes N      the largest request (33554432)
#   --behind CIDR,...       proxies before this nginx, whose X-Forwarded-For is believed; `none` by default
#   --port N                where the program listens on 127.0.0.1 (5000)
#   --listen ADDRESS        where nginx listens; `all` by default.  --http-port N (80)  --https-port N (443)
#   --source WHAT           a git address, a .tar.gz or a folder with a checkout; by default the one of this script
#   --ref NAME              branch or tag of a git address or a folder
#   --root FOLDER           install below this folder, for packages and tests: no user is made, nginx is left alone
#   --yes                   ask nothing     --dry-run   change nothing, and show unit and site
#
# The same names in upper case (MAX_CALL_SECONDS=600) are read from the environment, below the flags. What was chosen
# is kept in /etc/aiproxy/install.conf. The program goes to /opt/aiproxy, its settings to /etc/aiproxy/config.txt, its
# data to /var/lib/aiproxy. NGINX_CONF names nginx's own file when it is not /etc/nginx/nginx.conf. Exit status: 0 when
# done, 1 when a step failed, 2 for a wrong argument.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=steps.sh
source "$here/steps.sh"

declare -A chosen=() default=(
  [DOMAIN]='' [CERTIFICATE]='' [CERTIFICATE_KEY]='' [MAX_CALL_SECONDS]=300 [MAX_BODY_BYTES]=33554432 [BEHIND]=none
  [PORT]=5000 [LISTEN]=all [HTTP_PORT]=80 [HTTPS_PORT]=443 [SOURCE]='' [REF]=''
)
names=(DOMAIN CERTIFICATE CERTIFICATE_KEY MAX_CALL_SECONDS MAX_BODY_BYTES BEHIND PORT LISTEN HTTP_PORT HTTPS_PORT SOURCE REF)
root='' yes='' dry='' action=install purge=''

wrong() { # wrong MESSAGE: the exit of a wrong argument
  echo "install.sh: $1 (see --help)" >&2
  exit 2
}

read_flags() {
  local name
  while (($#)); do
    case $1 in
      -h | --help) sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0"; exit ;;
      --yes) yes=1 ;;
      --dry-run) dry=1 ;;
      --uninstall) action=uninstall ;;
      --purge) purge=1 ;;
      --root) root=${2:-}; [[ $root == /?* ]] || wrong "--root needs the full path of a folder"; root=${root%/}; shift ;;
      --?*)
        name=${1#--} name=${name//-/_} name=${name^^}
        [[ -v default[$name] ]] || wrong "unknown argument $1"
        (($# > 1)) || wrong "$1 needs a value"
        chosen[$name]=$2
        shift
        ;;
      *) wrong "unknown argument $1" ;;
    esac
    shift
  done
  [[ -z $purge || $action == uninstall ]] || wrong "--purge goes with --uninstall"
}

fill_in() { # flags, then the environment, then the last time, then the defaults
  local name line
  local -A last=()
  if [[ -f $root/etc/aiproxy/install.conf ]]; then
    while IFS= read -r line; do [[ $line == *=* ]] && last[${line%%=*}]=${line#*=}; done <"$root/etc/aiproxy/install.conf"
  fi
  for name in "${names[@]}"; do
    [[ -v chosen[$name] ]] || chosen[$name]=${!name:-${last[$name]:-${default[$name]}}}
  done
}

ask() { # ask NAME QUESTION: when it is open and somebody is there to answer
  local answer
  [[ -z ${chosen[$1]} && -z $yes && -t 0 ]] || return 0
  read -r -p "$2: " answer
  chosen[$1]=$answer
}

complete() { # ask for what is missing, and fill in what follows from the answers
  ask DOMAIN 'Name that callers use, such as ai.example.org (none: no nginx)'
  [[ -n ${chosen[DOMAIN]} ]] || wrong '--domain is missing'
  [[ ${chosen[DOMAIN]} != none ]] || return 0
  local certbot=/etc/letsencrypt/live/${chosen[DOMAIN]}
  ask CERTIFICATE "File with its certificate and chain ($certbot/fullchain.pem)"
  ask CERTIFICATE_KEY "File with its key ($certbot/privkey.pem)"
  : "${chosen[CERTIFICATE]:=$certbot/fullchain.pem}" "${chosen[CERTIFICATE_KEY]:=$certbot/privkey.pem}"
}

check() { # every value, before anything is done with it
  local name whole='^[1-9][0-9]{0,9}$' file='^/[A-Za-z0-9._/@+-]+$'
  [[ ${chosen[DOMAIN]} =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$ ]] || wrong '--domain must be a name in lower case'
  for name in MAX_CALL_SECONDS MAX_BODY_BYTES PORT HTTP_PORT HTTPS_PORT; do
    [[ ${chosen[$name]} =~ $whole ]] || wrong "$name must be a whole number"
  done
  ((chosen[MAX_CALL_SECONDS] <= 86400)) || wrong 'MAX_CALL_SECONDS is 86400 at most'
  for name in PORT HTTP_PORT HTTPS_PORT; do ((chosen[$name] < 65536)) || wrong "$name is no port"; done
  [[ ${chosen[BEHIND]} =~ ^(none|[0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*)$ ]] || wrong '--behind must list addresses and CIDR blocks'
  [[ ${chosen[LISTEN]} =~ ^(all|[0-9.]+|\[[0-9a-fA-F:]+\])$ ]] || wrong '--listen must be an address, IPv6 in brackets'
  [[ ${chosen[DOMAIN]} != none ]] || return 0
  for name in CERTIFICATE CERTIFICATE_KEY; do
    [[ ${chosen[$name]} =~ $file ]] || wrong "$name must be the full path of a file"
    [[ -n $dry || -r ${chosen[$name]} ]] || wrong "$name: ${chosen[$name]} is not there. certbot makes one: see README.md"
  done
}

agree() { # agree QUESTION: stop unless the answer is yes
  local answer
  [[ -z $yes ]] || return 0
  [[ -t 0 ]] || wrong 'nobody is there to answer: give --yes'
  read -r -p "$1 [y/N] " answer
  [[ $answer == [yY]* ]] || { echo 'Nothing was changed.'; exit 1; }
}

stopped() { # stopped CODE: by a signal, among the steps
  echo 'install.sh: stopped half-way. Every step may be carried out twice: run it again' >&2
  exit "$1"
}

say_when_stopped() {
  trap 'stopped 129' HUP
  trap 'stopped 130' INT
  trap 'stopped 143' TERM
}

show_plan() {
  local name
  echo "AI Proxy on this machine${root:+, below $root}:"
  for name in "${names[@]}"; do [[ -z ${chosen[$name]} ]] || printf '  %-18s %s\n' "$name" "${chosen[$name]}"; done
}

read_flags "$@"
if [[ $action == uninstall ]]; then
  [[ -n $dry ]] && { echo "Would stop and remove the program, its unit and its site${purge:+, its settings and its data}."; exit; }
  [[ -n $root || $(id -u) == 0 ]] || wrong 'it must run as root'
  agree "Stop and remove the AI Proxy${purge:+, with its settings, keys and ledger}?"
  say_when_stopped
  uninstall
  exit
fi
fill_in
complete
check
show_plan
if [[ -n $dry ]]; then
  printf '\n# %s\n%s\n' "$unit_path" "$(render aiproxy.service)"
  [[ ${chosen[DOMAIN]} == none ]] || printf '\n# %s\n%s\n' "$site_path" "$(render nginx-site.conf)"
  exit
fi
[[ -n $root || $(id -u) == 0 ]] || wrong 'it must run as root'
agree 'Go on?'
say_when_stopped
install_all
