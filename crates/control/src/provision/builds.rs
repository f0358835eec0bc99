//! The agents that control can hand out: files of a folder that a build or a package filled.
//!
//! `x86_64-linux/flotilla-agent` and `agent-image-amd64.tar`, and likewise `aarch64-linux` and `arm64`.

use super::script::Digests;
use flotilla_protocol::{Code, Problem};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

/// A processor architecture for which agents exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arch {
    X86_64,
    Aarch64,
}

impl Arch {
    pub(crate) const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// Its name in `uname -m` and in the names of programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// Its name in container engines.
    fn engine_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }
}

/// The folder of agents, or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Builds {
    dir: Option<PathBuf>,
}

impl Builds {
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        Self { dir }
    }

    /// The architectures whose program is there.
    pub(crate) fn architectures(&self) -> Vec<String> {
        let present = Arch::ALL
            .into_iter()
            .filter(|arch| self.program_path(*arch).is_some_and(|path| path.is_file()));
        present.map(|arch| arch.name().to_owned()).collect()
    }

    /// The file behind `install/agent/{name}`, for example `x86_64-linux`.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, Problem> {
        let arch = Arch::ALL
            .into_iter()
            .find(|arch| name == format!("{}-linux", arch.name()));
        existing(arch.and_then(|arch| self.program_path(arch)), name)
    }

    /// The file behind `install/agent-image/{name}`, for example `amd64.tar`.
    pub(crate) fn image(&self, name: &str) -> Result<PathBuf, Problem> {
        let arch = Arch::ALL
            .into_iter()
            .find(|arch| name == format!("{}.tar", arch.engine_name()));
        let path = arch.and_then(|arch| {
            let dir = self.dir.as_deref()?;
            Some(dir.join(format!("agent-image-{}.tar", arch.engine_name())))
        });
        existing(path, name)
    }

    /// The digests that the installer compares a downloaded program with. Reads whole programs, so it must run where
    /// blocking is allowed.
    pub(crate) fn digests(&self) -> Digests {
        let of = |arch| self.program_path(arch).and_then(|path| digest(&path).ok());
        Digests {
            x86_64: of(Arch::X86_64),
            aarch64: of(Arch::Aarch64),
        }
    }

    fn program_path(&self, arch: Arch) -> Option<PathBuf> {
        let dir = self.dir.as_deref()?;
        Some(dir.join(format!("{}-linux/flotilla-agent", arch.name())))
    }
}

fn existing(path: Option<PathBuf>, name: &str) -> Result<PathBuf, Problem> {
    path.filter(|path| path.is_file()).ok_or_else(|| {
        Code::NoBinaryForArch.because(format!(
                "This controller has no agent called {name}. Agents exist for x86_64 (amd64) and aarch64 (arm64); start Flotilla with --agents-dir to provide one."
            ))
    })
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> (tempfile::TempDir, Builds) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("x86_64-linux")).unwrap();
        fs::write(dir.path().join("x86_64-linux/flotilla-agent"), "abc").unwrap();
        fs::write(dir.path().join("agent-image-arm64.tar"), "tar").unwrap();
        let builds = Builds::new(Some(dir.path().to_owned()));
        (dir, builds)
    }

    #[test]
    fn what_is_there_is_found_by_its_public_name() {
        let (_dir, builds) = filled();
        assert!(builds.program("x86_64-linux").is_ok());
        assert!(builds.image("arm64.tar").is_ok());
        assert_eq!(builds.architectures(), ["x86_64"]);
        let digests = builds.digests();
        assert_eq!(
            digests.x86_64.as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        assert_eq!(digests.aarch64, None);
    }

    #[test]
    fn what_is_not_there_is_a_problem_and_no_path_of_the_caller_is_followed() {
        let (_dir, builds) = filled();
        for name in ["aarch64-linux", "mips-linux", "../x86_64-linux", "", "x86_64"] {
            assert_eq!(
                builds.program(name).unwrap_err().code,
                Code::NoBinaryForArch,
                "{name}"
            );
        }
        assert_eq!(
            Builds::default().image("amd64.tar").unwrap_err().code,
            Code::NoBinaryForArch
        );
        assert!(Builds::default().architectures().is_empty());
    }
}
