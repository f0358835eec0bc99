//! Containers without a registry: sample images made of busybox, and the docker commands that tests run on a machine.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::artifacts;
use crate::lab::Machine;
use crate::program::{command, run};

/// An image that serves a page on port 80.
pub const WEB: &str = "sample/web:1";
/// An image that does nothing until it is stopped, and then ends within a second.
pub const WORKER: &str = "sample/worker:1";

const IMAGES: [(&str, &str); 2] = [
    (WEB, r#"["httpd","-f","-p","80","-h","/www"]"#),
    (
        WORKER,
        r#"["sh","-c","trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"]"#,
    ),
];

impl Machine {
    /// Imports the sample images into the engine of this machine.
    pub fn load_images(&self) -> Result<()> {
        self.load_images_by(|| self.docker())
    }

    /// The same by the command line that `engine` returns.
    pub fn load_images_by(&self, engine: impl Fn() -> Command) -> Result<()> {
        let archive = self.directory().join("sample.tar");
        write_root(File::create(&archive)?).context("cannot write the sample image")?;
        for (name, program) in IMAGES {
            let mut import = engine();
            import.args([
                "import",
                "--change",
                "ENV PATH=/bin",
                "--change",
                &format!("CMD {program}"),
            ]);
            run(import.arg(&archive).arg(name))?;
        }
        Ok(())
    }

    /// `docker run --detach ARGUMENTS`; returns the container's id.
    pub fn docker_run(&self, arguments: &[&str]) -> Result<String> {
        run(self.docker().args(["run", "--detach"]).args(arguments))
    }

    /// The state of a container as `docker inspect` says it: `running`, `exited`, ….
    pub fn container_state(&self, name: &str) -> Result<String> {
        run(self
            .docker()
            .args(["inspect", "--format", "{{.State.Status}}", name]))
    }

    /// Writes a compose file into a folder named like the stack, and runs `docker compose up` there.
    pub fn compose_up(&self, stack: &str, file: &str) -> Result<()> {
        let folder = self.directory().join("stacks").join(stack);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("compose.yaml"), file)?;
        let mut compose = Command::new(artifacts::lab_file("bin/docker-compose")?);
        compose
            .env("DOCKER_HOST", self.docker_host())
            .current_dir(&folder);
        run(compose.args(["--project-name", stack, "up", "--detach", "--pull", "never"])).map(drop)
    }
}

/// A root file system of static busybox.
fn write_root(file: File) -> Result<()> {
    let busybox = Path::new("/bin/busybox");
    let mut tar = tar::Builder::new(file);
    for folder in ["bin", "etc", "tmp", "proc", "sys", "dev", "www"] {
        let mut header = header(0o755);
        header.set_entry_type(tar::EntryType::Directory);
        tar.append_data(&mut header, folder, std::io::empty())?;
    }
    let program = std::fs::read(busybox).context("install busybox-static")?;
    append(&mut tar, "bin/busybox", 0o755, &program)?;
    for name in run(&mut command(busybox, ["--list"]))?
        .lines()
        .filter(|name| *name != "busybox")
    {
        let mut header = header(0o777);
        header.set_entry_type(tar::EntryType::Symlink);
        tar.append_link(&mut header, PathBuf::from("bin").join(name), "busybox")?;
    }
    append(&mut tar, "etc/passwd", 0o644, b"root:x:0:0:root:/:/bin/sh\n")?;
    append(&mut tar, "etc/hosts", 0o644, b"127.0.0.1 localhost\n")?;
    append(
        &mut tar,
        "www/index.html",
        0o644,
        b"hello from a sample container\n",
    )?;
    Ok(tar.finish()?)
}

fn append(tar: &mut tar::Builder<File>, path: impl AsRef<OsStr>, mode: u32, data: &[u8]) -> Result<()> {
    let mut header = header(mode);
    header.set_size(data.len() as u64);
    Ok(tar.append_data(&mut header, Path::new(path.as_ref()), data)?)
}

fn header(mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(0);
    header
}
