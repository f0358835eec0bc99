//! When a proxy is used, and what errors say about it.

use super::*;

const ADDRESS: &str = "http://ann:s3cret@proxy.lan:3128";

fn proxies(address: &str, except: &str) -> Proxies {
    Proxies::from_variables(|name| match name {
        "https_proxy" => Some(address.to_owned()),
        "no_proxy" => Some(except.to_owned()),
        _ => None,
    })
}

fn asked(proxies: &Proxies, destination: &str) -> bool {
    proxies.lookup(&destination.parse().unwrap()).is_some()
}

#[test]
fn a_destination_is_excepted_by_name_suffix_network_port_or_all_at_once() {
    for (except, destination, is_excepted) in [
        ("", "ctl.example.org:7443", false),
        ("ctl.example.org", "ctl.example.org:7443", true),
        ("example.org", "ctl.example.org:7443", true),
        (".example.org", "ctl.example.org:7443", true),
        ("*.example.org", "ctl.example.org:7443", true),
        ("example.org", "notexample.org:7443", false),
        ("CTL.example.ORG.", "ctl.example.org:7443", true),
        ("other.org example.org", "ctl.example.org:7443", true),
        ("example.org:7443", "ctl.example.org:7443", true),
        ("example.org:443", "ctl.example.org:7443", false),
        ("10.0.0.0/8, 192.0.2.7", "10.9.8.7:7443", true),
        ("10.0.0.0/8,192.0.2.7", "192.0.2.7:7443", true),
        ("192.0.2.7:7443", "192.0.2.7:7443", true),
        ("192.0.2.7:80", "192.0.2.7:7443", false),
        ("10.0.0.0/8", "11.0.0.1:7443", false),
        ("2001:db8::/32", "[2001:db8::7]:7443", true),
        ("2001:db8::7", "[2001:db8::7]:7443", true),
        ("[2001:db8::7]:7443", "[2001:db8::7]:7443", true),
        ("[2001:db8::7]:80", "[2001:db8::7]:7443", false),
        ("*", "anything.example:1", true),
        ("", "127.0.0.1:7443", true),
        ("", "localhost:7443", true),
        ("", "[::1]:7443", true),
    ] {
        assert_eq!(
            asked(&proxies(ADDRESS, except), destination),
            !is_excepted,
            "{except:?} {destination}"
        );
    }
}

#[test]
fn variables_are_read_as_curl_reads_them() {
    let with = |set: &'static [(&str, &str)]| {
        let found = Proxies::from_variables(|name| {
            let set = set.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        });
        let proxy = found.lookup(&"192.0.2.1:7443".parse().unwrap());
        proxy.map(|proxy| {
            proxy
                .map(|proxy| proxy.to_string())
                .map_err(|error| error.to_string())
        })
    };
    let is = |text: &str| Some(Ok(text.to_owned()));
    assert_eq!(with(&[]), None);
    assert_eq!(
        with(&[("https_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:2")]),
        is("a:1")
    );
    assert_eq!(
        with(&[("HTTPS_PROXY", "b:2"), ("all_proxy", "http://c:3")]),
        is("b:2")
    );
    assert_eq!(
        with(&[("https_proxy", ""), ("ALL_PROXY", "http://c")]),
        is("c:1080")
    );
    assert_eq!(
        with(&[("https_proxy", "http://[2001:db8::1]:3128/")]),
        is("[2001:db8::1]:3128")
    );
    assert_eq!(
        with(&[("http_proxy", "http://d:4")]),
        None,
        "that one is for http://"
    );
}

#[test]
fn no_text_has_the_password() {
    let proxies = proxies(ADDRESS, "");
    let destination: Endpoint = "ctl.example.org".parse().unwrap();
    let proxy = proxies.lookup(&destination).unwrap().unwrap();
    let credentials = proxy.credentials.clone().unwrap();
    assert_eq!(credentials, "Basic YW5uOnMzY3JldA==");
    assert!(credentials.is_sensitive());
    for text in [
        format!("{proxies:?}"),
        proxy.to_string(),
        proxy.timed_out(&destination).to_string(),
    ] {
        assert!(!text.contains("s3cret") && !text.contains("YW5u"), "{text}");
    }
}

#[test]
fn what_is_no_proxy_that_can_be_asked_is_said() {
    let said = |address: &str| {
        let proxy = proxies(address, "").lookup(&"ctl.example.org".parse().unwrap());
        proxy
            .unwrap()
            .map(|proxy| proxy.to_string())
            .unwrap_err()
            .to_string()
    };
    for address in [
        "socks5h://ann:s3cret@proxy.lan:1080",
        "https://ann:s3cret@proxy.lan:3129",
    ] {
        let said = said(address);
        assert!(
            said.contains("proxy.lan:") && said.contains("only proxies") && !said.contains("s3cret"),
            "{said}"
        );
    }
    for address in ["http://ann:p@ss@proxy.lan:3128", "gopher://proxy.lan", "http://"] {
        let said = said(address);
        assert!(said.contains("%40") && !said.contains("ss@"), "{said}");
    }
}

#[test]
fn near_is_what_no_one_has_on_the_internet() {
    for (text, near) in [
        ("10.1.2.3", true),
        ("192.168.1.10", true),
        ("169.254.1.1", true),
        ("100.71.0.1", true),
        ("fd00::1", true),
        ("fe80::1", true),
        ("198.51.100.4", false),
        ("2001:db8::1", false),
        ("nas.lan", false),
    ] {
        assert_eq!(is_private(&text.parse().unwrap()), near, "{text}");
    }
}
