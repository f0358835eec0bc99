//! The user interface that was compiled in. The build script makes the list of files from FLOTILLA_UI_DIST.

const FILES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

pub(crate) fn lookup(path: &str) -> Option<&'static [u8]> {
    FILES
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, content)| *content)
}
