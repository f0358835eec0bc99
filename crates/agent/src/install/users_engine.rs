//! Engines of one user's own. They listen below `/run/user`, which the service can't see, and only their user's programs
//! reach them. So the installation looks for one, and the service reports what was found.

use std::{
    fs,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
};

/// The folder in which each user has a folder, named by the user's number.
pub(super) const FOLDERS: &str = "/run/user";

/// Where Docker and Podman listen in a user's folder.
const SOCKETS: [&str; 2] = ["docker.sock", "podman/podman.sock"];

/// The first socket of a user's own engine, in the order of the users' numbers.
pub(super) fn find(folders: &Path) -> Option<PathBuf> {
    let names = fs::read_dir(folders).into_iter().flatten();
    let mut users: Vec<u32> = names
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    users.sort_unstable();
    let places = users
        .into_iter()
        .flat_map(|user| SOCKETS.map(|socket| folders.join(user.to_string()).join(socket)));
    places
        .into_iter()
        .find(|place| fs::symlink_metadata(place).is_ok_and(|found| found.file_type().is_socket()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn the_socket_of_a_user_is_found_and_nothing_else_is_taken_for_one() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(find(&dir.path().join("none")), None);
        for folder in ["1000/podman", "1001", "998", "ann"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("998/docker.sock"), "").unwrap();
        let _ann = UnixListener::bind(dir.path().join("ann/docker.sock")).unwrap();
        assert_eq!(find(dir.path()), None);
        let sockets = ["1001/docker.sock", "1000/podman/podman.sock"].map(|name| dir.path().join(name));
        for (place, first) in sockets.iter().zip(&sockets) {
            let _listening = UnixListener::bind(place).unwrap();
            assert_eq!(find(dir.path()).as_ref(), Some(first));
        }
    }
}
