# What follows is the same for every device; the values above are for one.

say() { printf 'flotilla: %s\n' "$*"; }
note() { printf 'flotilla: note: %s\n' "$*" >&2; }
stop() {
  printf 'flotilla: %s\n' "$*" >&2
  exit 1
}

# Says what is done and does it, or only says it in a dry run.
step() {
  local says=$1
  shift
  if [ "$dry_run" ]; then
    say "would $says"
  else
    say "$says"
    "$@" </dev/null
  fi
}

usage() {
  cat <<'USAGE'
Installs the Flotilla agent on this device, or repairs and upgrades it.
  --as-root       run the agent as root instead of the user "flotilla"
  --skip-docker   don't install Docker when no container engine is found
  --dry-run       say what would be done and change nothing
  --uninstall     remove the agent, its service, its user and its state
USAGE
}

read_flags() {
  local flag
  for flag in "$@"; do
    case $flag in
      --as-root) as_root=1 ;;
      --skip-docker) skip_docker=1 ;;
      --dry-run) dry_run=1 ;;
      --uninstall) uninstall=1 ;;
      --help | -h)
        usage
        exit 0
        ;;
      *)
        usage >&2
        printf 'flotilla: there is no option %s\n' "$flag" >&2
        exit 2
        ;;
    esac
  done
}

choose_binary() {
  local machine
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) arch=x86_64 expected=$SHA256_X86_64 ;;
    aarch64 | arm64) arch=aarch64 expected=$SHA256_AARCH64 ;;
    *) stop "There is no agent for this device's processor ($machine). Agents exist for x86_64 and aarch64." ;;
  esac
  [ "$expected" ] || stop "This controller has no agent for this device's processor ($machine). Update Flotilla on the controller and run this again."
}

check_system() {
  [ "$(uname -s)" = Linux ] || stop "This installs on Linux only. On this device, run the agent in Docker instead:
$DOCKER_RUN"
  if [ ! -d /run/systemd/system ]; then
    stop "This device does not run systemd, so the agent can't be installed as its service. Run it in Docker instead:
$DOCKER_RUN"
  fi
  [ "$dry_run" ] || [ "$(id -u)" = 0 ] || stop "This must run as root: end the line with \"| sudo bash\", or become root first (su -)."
  local folder
  for folder in "${BINARY%/*}" "${CONFIG_FILE%/*/*}" "${STATE%/*}"; do
    [ "$(id -u)" != 0 ] || [ ! -d "$folder" ] || [ -w "$folder" ] || stop "This system is read-only: nothing can be written to $folder. Run the agent in Docker instead:
$DOCKER_RUN"
  done
  local tool
  for tool in curl sha256sum systemctl install useradd mktemp; do
    command -v "$tool" >/dev/null || stop "The program $tool is missing. Install it and run this again."
  done
  # Not --version: that looks up this device's own name first, for as long as a name server takes that isn't there.
  curl --pinnedpubkey "$TLS_PIN" --help >/dev/null 2>&1 ||
    stop "This curl is too old to check the controller's key (it needs 7.44). Update curl, or run the agent in Docker instead."
  [ -c /dev/net/tun ] || note "There is no /dev/net/tun here: Flotilla manages this device's containers, and says that it has no mesh until there is one (modprobe tun)."
}

engine_socket() {
  local socket
  for socket in /run/docker.sock /var/run/docker.sock /run/podman/podman.sock; do
    if [ -S "$socket" ]; then
      printf '%s' "$socket"
      return
    fi
  done
}

# One that only its own user's programs reach: the service is another user, and /run/user is hidden from it.
rootless_socket() {
  local socket
  for socket in /run/user/*/docker.sock /run/user/*/podman/podman.sock; do
    if [ -S "$socket" ]; then
      printf '%s' "$socket"
      return
    fi
  done
}

# From the distribution's own packages, so that its updates reach it.
engine_packages() {
  if command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends docker.io
  elif command -v dnf >/dev/null; then
    dnf install -y -q moby-engine || dnf install -y -q podman
  elif command -v zypper >/dev/null; then
    zypper --non-interactive --quiet install docker
  elif command -v pacman >/dev/null; then
    pacman -S --noconfirm --needed docker
  elif command -v apk >/dev/null; then
    apk add --quiet docker
  else
    return 1
  fi
}

start_engine() {
  systemctl enable --now --quiet docker.service 2>/dev/null || systemctl enable --now --quiet podman.socket
}

install_engine() {
  engine_packages && start_engine
}

# A device without an engine is still a device; Flotilla shows what is missing.
ensure_engine() {
  local rootless
  if [ "$(engine_socket)" ]; then
    return
  fi
  rootless=$(rootless_socket)
  if [ "$rootless" ]; then
    note "The container engine here is one user's own: it listens at $rootless, where the agent's service can't reach it. For its containers, don't install; as that user, run the agent in the engine:
$DOCKER_RUN"
    return
  fi
  # It may be Podman that is called docker.
  if command -v docker >/dev/null; then
    case $(docker --version 2>/dev/null) in *podman*) ;; *) return ;; esac
  fi
  if command -v podman >/dev/null; then
    step "let Podman listen at its socket" systemctl enable --now --quiet podman.socket ||
      note "Podman could not be made to listen. The agent works without it; run systemctl enable --now podman.socket later and its containers appear."
    return
  fi
  if [ "$skip_docker" ]; then
    note "There is no container engine here and --skip-docker was given: Flotilla will say so until one is installed."
    return
  fi
  step "install Docker from this distribution's packages" install_engine ||
    note "Docker could not be installed. The agent works without it; install Docker or Podman later and its containers appear."
}

# Podman's is root's alone.
check_rights() {
  case $(engine_socket) in
    *podman*) [ "$as_root" ] || note "Podman's socket is root's alone: run this again with --as-root, or the agent can't see its containers." ;;
  esac
}

# The token goes to curl on its standard input, where no process list shows it.
fetch() {
  printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" |
    curl -fsSk --proto '=https' --pinnedpubkey "$TLS_PIN" --retry 3 --connect-timeout 20 \
      -K - -o "$2" "$CONTROL/install/agent/$1-linux" "${@:3}"
}

# A proxy that does not lead to the controller is gone around, as the agent does.
download() {
  fetch "$@" || {
    [ "${https_proxy-}${HTTPS_PROXY-}${all_proxy-}${ALL_PROXY-}" ] || return
    note "The download did not work by the proxy; trying without it."
    fetch "$@" --noproxy '*'
  }
}

fetch_binary() {
  local fresh=$BINARY.new actual
  download "$arch" "$fresh" || {
    rm -f "$fresh"
    stop "The agent could not be downloaded from $CONTROL. Create a new command in Flotilla if this one has expired, and run it again."
  }
  actual=$(sha256sum "$fresh" | cut -d ' ' -f 1)
  if [ "$actual" != "$expected" ]; then
    rm -f "$fresh"
    stop "The downloaded agent is not the one that was announced (SHA-256 $actual). Nothing was installed; run this again."
  fi
  chmod 0755 "$fresh"
  mv -f "$fresh" "$BINARY"
}

write_config() {
  install -d -m 0755 "${CONFIG_FILE%/*}"
  local fresh=$CONFIG_FILE.new
  printf '%s' "$CONFIG" >"$fresh"
  chmod 0600 "$fresh"
  [ "$as_root" ] || chown "$SERVICE_USER:" "$fresh"
  mv -f "$fresh" "$CONFIG_FILE"
}

create_user() {
  id -u "$SERVICE_USER" >/dev/null 2>&1 ||
    useradd --system --user-group --home-dir "$STATE" --no-create-home \
      --shell "$(command -v nologin || echo /bin/false)" "$SERVICE_USER"
  if getent group docker >/dev/null; then
    usermod -a -G docker "$SERVICE_USER"
  fi
}

install_agent() {
  choose_binary
  check_system
  ensure_engine
  check_rights
  if [ ! "$as_root" ]; then
    step "create the user $SERVICE_USER, a member of the group docker" create_user
  fi
  step "download the agent for $arch and check its SHA-256" fetch_binary
  step "write $CONFIG_FILE, readable for the agent only" write_config
  if [ "$as_root" ]; then
    step "install and start the service, as root" "$BINARY" install --as-root
  else
    step "install and start the service, as $SERVICE_USER" "$BINARY" install
  fi
  [ "$dry_run" ] || say "Done. $DEVICE appears in Flotilla as soon as it is online."
}

remove_files() {
  rm -rf "$BINARY" "$BINARY.new" "${CONFIG_FILE%/*}" "$STATE"
}

remove_user() {
  if id -u "$SERVICE_USER" >/dev/null 2>&1; then
    userdel "$SERVICE_USER"
  fi
}

remove_agent() {
  [ "$dry_run" ] || [ "$(id -u)" = 0 ] || stop "This must run as root: end the line with \"| sudo bash -s -- --uninstall\"."
  if [ -x "$BINARY" ]; then
    step "stop and remove the service" "$BINARY" uninstall
  fi
  step "remove $BINARY, ${CONFIG_FILE%/*} and $STATE with this device's keys" remove_files
  step "remove the user $SERVICE_USER" remove_user
  [ "$dry_run" ] || say "Done. Containers and Docker are untouched. In Flotilla, revoke and remove $DEVICE."
}

flotilla_install() {
  set -euo pipefail
  umask 077
  # Root that became so by su has a path without them.
  PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  local as_root='' skip_docker='' dry_run='' uninstall='' arch='' expected=''
  read_flags "$@"
  if [ "$uninstall" ]; then
    remove_agent
  else
    install_agent
  fi
}

# Braces: a download that was cut short is a syntax error here, never half a command.
{ flotilla_install "$@"; }
