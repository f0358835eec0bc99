//! An agent that reaches its control through a proxy.

use super::rig::{Control, SOON, introduction};
use crate::{DialError, Dialed, Proxies, Target, dial::dial_within, open, settings::Limits};
use flotilla_protocol::endpoint::Endpoint;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A documentation address: only the proxy leads from it to control.
const FAR: &str = "192.0.2.1:7443";

/// Gives the same answer to every request, and after a successful one passes bytes on to one address.
struct ProxyDouble {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ProxyDouble {
    async fn start(answer: &'static str, leads_to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass_on(stream, answer, leads_to, seen.clone()));
            }
        });
        Self { address, heads }
    }

    fn head(&self) -> String {
        self.heads.lock().unwrap().first().cloned().unwrap_or_default()
    }
}

async fn pass_on(mut client: TcpStream, answer: &str, leads_to: SocketAddr, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
    client.write_all(answer.as_bytes()).await.unwrap();
    if answer.contains(" 200 ") {
        let mut server = TcpStream::connect(leads_to).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

const GOOD: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

fn target(control: &Control, at: &str, proxy: SocketAddr) -> Target {
    Target {
        proxies: Proxies::from_variables(|name| {
            (name == "https_proxy").then(|| format!("http://ann:s3cret@{proxy}"))
        }),
        ..control.target([at.parse::<Endpoint>().unwrap()])
    }
}

async fn dialed(target: &Target) -> Result<Dialed, DialError> {
    let limits = Limits {
        handshake: Duration::from_millis(800),
        ..Limits::default()
    };
    timeout(SOON, dial_within(target, &introduction(), limits))
        .await
        .expect("an end")
}

#[tokio::test(flavor = "multi_thread")]
async fn link_and_relay_leg_go_through_the_proxy_which_is_told_the_name_and_the_password() {
    let control = Control::start(Limits::default());
    let proxy = ProxyDouble::start(GOOD, control.address).await;
    // A name that only the proxy can look up.
    let target = target(&control, "ctl.invalid:7443", proxy.address);
    dialed(&target).await.unwrap();
    control.next_link().await;
    let head = proxy.head();
    assert!(
        head.starts_with("CONNECT ctl.invalid:7443 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.to_lowercase()
            .contains("proxy-authorization: basic ywxuonmzy3jlda==\r\n")
            || head.contains("Basic YW5uOnMzY3JldA==\r\n"),
        "{head}"
    );
    assert!(!head.to_lowercase().contains("\r\nauthorization"), "{head}");
    let messages = timeout(SOON, open(&target, "/echo")).await.unwrap().unwrap();
    assert_eq!(messages.endpoint(), &target.endpoints[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_answers_is_said_with_what_to_do_and_without_the_password() {
    let control = Control::start(Limits::default());
    for (answer, words) in [
        (
            "HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n",
            "answered 403 Forbidden: it does not let this device through to 192.0.2.1:7443. Have CONNECT to port 7443 allowed",
        ),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "it wants a name and a password",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "it could not reach 192.0.2.1:7443 itself. Name 192.0.2.1 in no_proxy",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n220 mail.example.org",
            "spoke where 192.0.2.1:7443 should have",
        ),
        ("nonsense\r\n\r\n", "cannot be reached: invalid HTTP version"),
    ] {
        let proxy = ProxyDouble::start(answer, control.address).await;
        let error = dialed(&target(&control, FAR, proxy.address))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert!(
            error.contains(&proxy.address.to_string()) && !error.contains("s3cret"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_gone_or_does_not_lead_there_is_gone_around() {
    let control = Control::start(Limits::default());
    // A spelling of this computer's address that is not recognized as such, so the proxy is used for it.
    let name = format!("127.1:{}", control.address.port());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    dialed(&target(&control, &name, gone)).await.unwrap();
    let bad = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    let proxy = ProxyDouble::start(bad, control.address).await;
    dialed(&target(&control, &name, proxy.address)).await.unwrap();
    assert!(proxy.head().starts_with("CONNECT 127.1:"), "it was asked first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_says_nothing_is_named() {
    let control = Control::start(Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let error = dialed(&target(&control, FAR, silent))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("the proxy {silent} does not answer in time")),
        "{error}"
    );
}
