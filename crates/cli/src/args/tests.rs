//! Command lines as people write them, and the errors of wrong ones.

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Args, clap::Error> {
    Args::try_parse_from(line.split(' '))
}

#[test]
fn the_grammar_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn tags_change_by_sign() {
    let args = parse("flotilla device tag nas +prod -edge").unwrap();
    let Command::Device {
        command: DeviceCommand::Tag { name, changes },
    } = args.command
    else {
        panic!("another command")
    };
    assert_eq!(name, "nas");
    let tag = |text: &str| text.parse().unwrap();
    assert_eq!(changes, [TagEdit::Add(tag("prod")), TagEdit::Remove(tag("edge"))]);
    for bad in [
        "flotilla device tag nas",
        "flotilla device tag nas prod",
        "flotilla device tag nas +A",
    ] {
        assert_eq!(parse(bad).unwrap_err().exit_code(), 2, "{bad}");
    }
}

#[test]
fn what_is_wrong_with_a_value_is_said() {
    for (line, says) in [
        ("flotilla device add Nas", "lowercase"),
        (
            "flotilla device add nas --mode vpn",
            "not one of host, bridge, pause",
        ),
        ("flotilla device add nas --expires soon", "15m"),
        ("flotilla stop nas", "DEVICE/CONTAINER"),
        ("flotilla logs", "DEVICE/CONTAINER"),
        (
            "flotilla logs nas/web --level loud",
            "not one of trace, debug, info",
        ),
        ("flotilla logs --stack nas/", "DEVICE/STACK"),
        ("flotilla logs nas/web --search x", "cannot be used with"),
        ("flotilla logs nas/web --device nas", "cannot be used with"),
        ("flotilla logs --device nas", "--search <RE>"),
        ("flotilla device push nas", "<HOST>"),
        ("flotilla device push nas garage --end", "cannot be used with"),
        ("flotilla address add a;b", "is not an address"),
        ("flotilla serve --advertise a;b", "is not an address"),
        ("flotilla policy explain a b http/80", "not a protocol"),
        ("flotilla policy explain a b icmp/8", "has no ports"),
        ("flotilla policy explain a b tcp/0", "from 1 to 65535"),
        ("flotilla device mode nas vpn", "not one of host, bridge, pause"),
        ("flotilla pod add nas", "DEVICE/CONTAINER"),
        (
            "flotilla token create ci --role captain",
            "not one of viewer, operator, deployer, admin",
        ),
        ("flotilla token create ci --verb fly", "not one of view, operate"),
        ("flotilla token create CI", "lowercase"),
        ("flotilla activity --export xml", "csv, json"),
        ("flotilla activity --export csv --verify", "cannot be used with"),
        ("flotilla token create ci --expires soon", "30d"),
        (
            "flotilla device relay nas often",
            "not one of auto, always, never",
        ),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_token_has_any_number_of_roles_verbs_tags_and_devices() {
    let line = "flotilla token create ci --role viewer --verb operate --tag a --tag b --device nas --expires 90d --json";
    let Command::Token {
        command: TokenCommand::Create(create),
    } = parse(line).unwrap().command
    else {
        panic!("another command")
    };
    assert_eq!((create.roles.len(), create.verbs.len()), (1, 1));
    assert_eq!(
        (create.tags.len(), create.devices.as_slice()),
        (2, &["nas".to_owned()][..])
    );
    assert_eq!(create.expires.map(|expires| expires.0), Some(90 * 86_400));
    assert!(parse("flotilla token create").is_err());
}

#[test]
fn ps_is_another_word_for_containers() {
    let args = parse("flotilla ps --device nas --json").unwrap();
    assert!(matches!(
        args.command,
        Command::Containers(List { json: true, .. })
    ));
}
