//! What Compose writes on its containers about their project.

use std::{collections::HashMap, path::Path};

pub(crate) const PROJECT: &str = "com.docker.compose.project";
pub(crate) const SERVICE: &str = "com.docker.compose.service";
const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
const ONE_OFF: &str = "com.docker.compose.oneoff";

/// Compose's own word for a file that came through a pipe.
const STANDARD_INPUT: &str = "-";

type Labels = HashMap<String, String>;

/// The folder of the project, by its path on the computer on which Compose ran.
pub(super) fn folder(labels: &Labels) -> Option<String> {
    labels
        .get(WORKING_DIR)
        .filter(|folder| !folder.is_empty())
        .cloned()
}

/// Whether `docker compose run` made it.
pub(super) fn is_one_off(labels: &Labels) -> bool {
    let mark = labels.get(ONE_OFF);
    mark.is_some_and(|mark| mark.eq_ignore_ascii_case("true"))
}

/// The files of the project, as absolute paths where that can be told. Older Compose wrote them relative to the folder.
pub(super) fn config_files(labels: &Labels) -> Vec<String> {
    let folder = labels.get(WORKING_DIR).map_or("", String::as_str);
    let files = labels.get(CONFIG_FILES).map_or("", String::as_str);
    let mut paths: Vec<String> = Vec::new();
    for part in files.split(',') {
        // Where the first path is absolute, all are; a part that is not is the rest of a name with a comma in it.
        let is_rest = paths.first().is_some_and(|first| is_absolute(first)) && !is_absolute(part);
        match paths.last_mut().filter(|_| is_rest) {
            Some(last) => *last = format!("{last},{part}"),
            None => paths.push(part.to_owned()),
        }
    }
    let paths = paths.into_iter().filter(|path| !path.is_empty());
    paths.map(|path| joined(folder, path)).collect()
}

fn joined(folder: &str, file: String) -> String {
    if file == STANDARD_INPUT || folder.is_empty() || is_absolute(&file) {
        return file;
    }
    if is_of_windows(folder) {
        return format!("{}\\{file}", folder.trim_end_matches('\\'));
    }
    Path::new(folder).join(file).to_string_lossy().into_owned()
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || is_of_windows(path)
}

/// Whether a path is one of Windows: `C:\…`, `C:/…` or `\\server\…`.
fn is_of_windows(path: &str) -> bool {
    match path.as_bytes() {
        [b'\\', b'\\', ..] => true,
        [drive, b':', b'\\' | b'/', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &str, files: &str) -> Vec<String> {
        let labels = [(WORKING_DIR, folder), (CONFIG_FILES, files)];
        config_files(
            &labels
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        )
    }

    #[test]
    fn files_are_where_their_folder_is_unless_they_say_so_themselves() {
        assert_eq!(
            files("/srv/pair", "compose.yaml,compose.prod.yaml"),
            ["/srv/pair/compose.yaml", "/srv/pair/compose.prod.yaml"]
        );
        assert_eq!(
            files("/srv/a", "/srv/a/x.yaml,/etc/y.yaml"),
            ["/srv/a/x.yaml", "/etc/y.yaml"]
        );
        assert_eq!(files("", "compose.yaml"), ["compose.yaml"]);
        assert_eq!(files("", ""), Vec::<String>::new());
    }

    #[test]
    fn what_came_through_a_pipe_is_no_file_of_the_folder() {
        assert_eq!(files("/root", "-"), ["-"]);
    }

    #[test]
    fn a_name_with_a_comma_is_one_name() {
        assert_eq!(
            files("/srv/comma", "/srv/comma/a,b.yaml"),
            ["/srv/comma/a,b.yaml"]
        );
        assert_eq!(
            files("/srv/c,d", "/srv/c,d/a.yaml,/srv/c,d/b.yaml"),
            ["/srv/c,d/a.yaml", "/srv/c,d/b.yaml"]
        );
    }

    #[test]
    fn paths_of_windows_are_absolute_too() {
        let file = r"C:\Users\me\shop\docker-compose.yml";
        assert_eq!(files(r"C:\Users\me\shop", file), [file]);
        assert_eq!(files(r"C:\Users\me\shop", "docker-compose.yml"), [file]);
        assert_eq!(
            files(r"\\nas\shop", r"\\nas\shop\a.yml,D:/b.yml"),
            [r"\\nas\shop\a.yml", "D:/b.yml"]
        );
    }
}
