//! What apt can install on a booted Debian that reaches no mirror: nothing, or a package `docker.io` from a folder,
//! which apt unpacks and configures like Debian's own. Its service passes connections on to the machine's engine.

use anyhow::Result;

use super::System;

/// The machine's engine listens here until the package is installed.
pub(super) const ENGINE: &str = "/run/engine-of-this-machine.sock";

const FOLDER: &str = "/srv/packages";

const CONTROL: &str = "Package: docker.io
Version: 20.10.24+dfsg1-1
Architecture: all
Maintainer: The test <test@localhost>
Description: the engine of this machine by the name that Debian gives it
";

/// The package's postinst script. As with Debian's package, it creates the group.
const CONFIGURE: &str = "#!/bin/sh
set -e
groupadd --force --system docker
systemctl daemon-reload
";

const SOCKET: &str = "[Socket]
ListenStream=/run/docker.sock
SocketMode=0660
SocketGroup=docker
";

const BUILD: &str = r#"set -e
cd /srv/docker.io
chmod 0755 DEBIAN/postinst
dpkg-deb --build --root-owner-group . ../packages/docker.io.deb >/dev/null
cd ../packages
{
  cat ../docker.io/DEBIAN/control
  echo "Filename: ./docker.io.deb"
  echo "Size: $(stat -c %s docker.io.deb)"
  echo "SHA256: $(sha256sum docker.io.deb | cut -d ' ' -f 1)"
} >Packages"#;

impl System {
    /// Leaves apt no packages to install.
    pub(super) fn offer_nothing(&self) -> Result<()> {
        self.paste(&format!("mkdir -p {FOLDER} && : >{FOLDER}/Packages"))?;
        self.write(
            "/etc/apt/sources.list",
            format!("deb [trusted=yes] file:{FOLDER} ./\n"),
        )
    }

    /// Gives apt a package `docker.io` to install.
    pub fn offer_docker(&self) -> Result<()> {
        self.paste("mkdir -p /srv/docker.io/DEBIAN /srv/docker.io/usr/lib/systemd/system")?;
        let service = format!(
            "[Unit]\nRequires=docker.socket\nAfter=docker.socket\n\
             [Service]\nExecStart=/usr/lib/systemd/systemd-socket-proxyd {ENGINE}\n\
             [Install]\nWantedBy=multi-user.target\n"
        );
        for (file, content) in [
            ("DEBIAN/control", CONTROL),
            ("DEBIAN/postinst", CONFIGURE),
            ("usr/lib/systemd/system/docker.socket", SOCKET),
            ("usr/lib/systemd/system/docker.service", &service),
        ] {
            self.write(&format!("/srv/docker.io/{file}"), content)?;
        }
        self.paste(BUILD).map(drop)
    }
}
