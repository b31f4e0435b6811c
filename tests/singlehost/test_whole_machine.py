"""`install.sh` as an administrator runs it, on this machine's own folders, with all that it writes kept apart.

It runs in a mount namespace of its own, where /etc, /opt and /var are overlays that vanish with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.servers import missing
from tests.singlehost.installed import SCRIPT, Machine

APART = """
set -euo pipefail
mount -t tmpfs tmpfs /mnt
for each in etc opt var; do
  mkdir -p "/mnt/$each/upper" "/mnt/$each/work"
  mount -t overlay overlay -o "lowerdir=/$each,upperdir=/mnt/$each/upper,workdir=/mnt/$each/work" "/$each"
done
"""
INSTALLED = """
"$@" --yes
"$@" --yes
stat --format '%a %U %n' /opt/aiproxy /etc/aiproxy /etc/aiproxy/config.txt /var/lib/aiproxy
readlink /opt/aiproxy/config.txt
setpriv --reuid aiproxy --regid aiproxy --clear-groups grep -c '^AIPROXY_API_KEY=' /opt/aiproxy/config.txt
"$1" --uninstall --purge --yes
ls -d /opt/aiproxy /etc/aiproxy /var/lib/aiproxy /etc/nginx/conf.d/aiproxy.conf || true
id aiproxy || true
"""


def apart(script: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a script where nothing that it writes to /etc, /opt and /var is kept."""
    command = ["unshare", "--mount", "--propagation", "private", "bash", "-c", APART + script, "bash", *argv]
    environ = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_an_administrator_installs_and_removes_it(folder: Machine):
    shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or missing("nginx", "nginx-light")
    if os.geteuid() != 0 or apart("true").returncode != 0 or os.path.exists("/run/systemd/system"):  # noqa: PTH110
        pytest.skip("needs root, overlays, and a machine whose systemd is not to be told")
    done = apart(
        INSTALLED, str(SCRIPT), *(word for name, value in folder.flags.items() for word in (f"--{name}", value))
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("install.sh: /opt/aiproxy written") == 1
    assert lines.count("install.sh: done; nothing was started") == 2
    told = lines[lines.index("755 root /opt/aiproxy") :]
    assert told[:6] == [
        "755 root /opt/aiproxy",
        "750 root /etc/aiproxy",
        "600 aiproxy /etc/aiproxy/config.txt",
        "700 aiproxy /var/lib/aiproxy",
        "/etc/aiproxy/config.txt",
        "1",
    ]
    assert "install.sh: removed, with settings and data" in told
    assert done.stderr.count("No such file or directory") == 4
    assert "no such user" in done.stderr
