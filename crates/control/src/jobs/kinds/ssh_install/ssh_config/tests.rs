//! Configurations as people write them.

use super::*;
use proptest::prelude::*;

fn listed(text: &str) -> Vec<String> {
    let included = |_: &str| vec!["User included\nHost deep\n  HostName deep.lan\nInclude more\n".to_owned()];
    let host = |host: SshHost| {
        let user = host.user.map(|user| format!("{user}@")).unwrap_or_default();
        format!("{}={user}{}", host.alias, host.hostname.unwrap_or_default())
    };
    hosts(text, included).into_iter().map(host).collect()
}

#[test]
fn names_are_listed_with_what_their_blocks_and_the_patterns_say() {
    let text = r#"
        # A comment
        Host nas media "with space"
            HostName 192.168.1.10
            user admin # of the NAS

        Host garage-*
            User pi
        HOST garage-pi !garage-old
            hostname=%h.lan
        Host *
            User me
            Hostname ignored-for-nas
    "#;
    assert_eq!(
        listed(text),
        [
            "nas=admin@192.168.1.10",
            "media=admin@192.168.1.10",
            "garage-pi=pi@garage-pi.lan",
        ]
    );
}

#[test]
fn a_name_that_a_block_excludes_takes_nothing_from_it() {
    let text = "Host nas vps\nHost * !nas\n  User me\n";
    assert_eq!(listed(text), ["nas=", "vps=me@"]);
}

#[test]
fn what_a_match_says_counts_for_no_host_unless_it_matches_all() {
    let text = "Host nas\nMatch exec \"test -e /tmp\"\n  User root\nMatch all\n  User me\n";
    assert_eq!(listed(text), ["nas=me@"]);
}

#[test]
fn an_include_is_read_where_it_stands_and_not_further() {
    let text = "Include hosts.d/*\nHost nas\n  HostName nas.lan\n";
    assert_eq!(listed(text), ["deep=included@deep.lan", "nas=included@nas.lan"]);
    let inner = "Host nas\n  Include one\n  HostName after.lan\nHost vps\n";
    assert_eq!(listed(inner), ["nas=included@after.lan", "deep=deep.lan", "vps="]);
}

#[test]
fn files_are_found_below_home_in_the_order_of_their_names() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".ssh/hosts.d");
    assert_eq!(read(home.path()), []);
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        home.path().join(".ssh/config"),
        "Include hosts.d/*.conf ~/more absent\nHost last\n",
    )
    .unwrap();
    fs::write(folder.join("b.conf"), "Host b\n").unwrap();
    fs::write(folder.join("a.conf"), "Host a\n").unwrap();
    fs::write(folder.join("c.off"), "Host c\n").unwrap();
    fs::write(home.path().join("more"), "Host more\n").unwrap();
    let names: Vec<_> = read(home.path()).into_iter().map(|host| host.alias).collect();
    assert_eq!(names, ["a", "b", "more", "last"]);
}

#[test]
fn stars_and_question_marks_stand_for_characters() {
    for (pattern, text, like) in [
        ("*", "", true),
        ("?", "", false),
        ("garage-*", "garage-pi", true),
        ("*.lan", "nas.lan.lan", true),
        ("*.lan", "nas.local", false),
        ("a*b*c", "aXbYbZc", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("nas", "nas2", false),
    ] {
        assert_eq!(is_like(pattern, text), like, "{pattern} {text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_every_alias_can_be_given_to_ssh(text in "([hH]ost|user|[iI]nclude|match|#|\"|=|\\*|!|[a-z]| |\n){0,60}") {
        for host in hosts(&text, |_| vec![]) {
            prop_assert!(host.alias.parse::<Host>().is_ok());
        }
    }

    #[test]
    fn a_text_is_like_itself_and_like_a_star(text in "[a-c]{0,12}", at in 0usize..12) {
        let at = at.min(text.len());
        prop_assert!(is_like(&text, &text) && is_like("*", &text));
        let starred = format!("{}*{}", &text[..at], &text[at..]);
        prop_assert!(is_like(&starred, &text));
    }
}
