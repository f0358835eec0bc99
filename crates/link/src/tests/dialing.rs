//! An agent finds its control, and says why when it does not.

use super::rig::{Control, SOON, device_id, dialed, introduction};
use crate::{DialError, Target, call, dial, settings::Limits};
use bytes::Bytes;
use flotilla_identity::TrustError;
use flotilla_protocol::{Code, endpoint::Endpoint};
use http::Request;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::{io::AsyncReadExt, net::TcpListener, time::timeout};

fn hello() -> Request<Bytes> {
    Request::get("/hello").body(Bytes::new()).unwrap()
}

/// A server that accepts connections and sends nothing.
async fn silent() -> (TcpListener, Endpoint) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let local = listener.local_addr().unwrap();
    (listener, Endpoint::from_ip(local.ip(), local.port()))
}

/// A port at which no program listens.
async fn closed() -> Endpoint {
    silent().await.1
}

#[cfg(unix)]
#[tokio::test]
async fn segments_of_a_port_fit_narrow_networks_both_ways() {
    let port = crate::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let caller = tokio::net::TcpStream::connect(port.local_addr().unwrap())
        .await
        .unwrap();
    let (accepted, _) = port.accept().await.unwrap();
    for end in [&caller, &accepted] {
        let segment = socket2::SockRef::from(end).tcp_mss().unwrap();
        assert!(segment <= crate::settings::SEGMENT, "{segment} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_sees_which_device_calls() {
    let control = Control::start(Limits::default());
    let answer = call(&control.target([control.endpoint()]), hello())
        .await
        .unwrap();
    assert_eq!(answer.endpoint, control.endpoint());
    assert_eq!(
        serde_json::from_slice::<Option<_>>(&answer.body).unwrap(),
        Some(device_id())
    );
    let stranger = Target {
        tls: control.stranger_tls(),
        ..control.target([control.endpoint()])
    };
    let answer = call(&stranger, hello()).await.unwrap();
    assert_eq!(answer.body, "null");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_address_and_a_silent_one_cost_little() {
    let control = Control::start(Limits::default());
    let (_listener, silent) = silent().await;
    let before = Instant::now();
    let target = control.target([closed().await, silent, control.endpoint()]);
    assert_eq!(
        dial(&target, &introduction()).await.unwrap().endpoint(),
        &control.endpoint()
    );
    assert!(
        before.elapsed() < Duration::from_secs(3),
        "{:?}",
        before.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_control_was_last_is_tried_first() {
    let control = Control::start(Limits::default());
    let (listener, elsewhere) = silent().await;
    let target = Target {
        last_good: Some(control.endpoint()),
        ..control.target([elsewhere])
    };
    assert_eq!(
        dial(&target, &introduction()).await.unwrap().endpoint(),
        &control.endpoint()
    );
    let accepted = timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(accepted.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_authority_gets_no_byte_of_the_request() {
    let (ours, other) = (
        Control::start(Limits::default()),
        Control::start(Limits::default()),
    );
    let target = ours.target([other.endpoint()]);
    for refused in [
        dialed(&target).await.map(drop),
        call(&target, hello()).await.map(drop),
    ] {
        match refused.unwrap_err() {
            DialError::Untrusted { endpoint, source } => {
                assert_eq!(endpoint, other.endpoint());
                assert_eq!(
                    source,
                    TrustError::PinMismatch {
                        expected: ours.ca.pin()
                    }
                );
            }
            error => panic!("{error:?}"),
        }
    }
    assert_eq!(other.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_authority_does_not_keep_an_agent_from_its_control() {
    let (ours, other) = (
        Control::start(Limits::default()),
        Control::start(Limits::default()),
    );
    let target = ours.target([other.endpoint(), ours.endpoint()]);
    assert_eq!(dialed(&target).await.unwrap().endpoint(), &ours.endpoint());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_link_says_why() {
    let control = Control::start(Limits::default());
    control.refuses.store(true, Ordering::SeqCst);
    match dialed(&control.target([control.endpoint()])).await.unwrap_err() {
        DialError::Refused { status, problem, .. } => {
            assert_eq!((status, problem.code), (403, Code::Revoked));
        }
        error => panic!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_without_a_certificate_is_refused_by_the_route() {
    let control = Control::start(Limits::default());
    let target = Target {
        tls: control.stranger_tls(),
        ..control.target([control.endpoint()])
    };
    assert!(matches!(
        dialed(&target).await,
        Err(DialError::Refused { status: 403, .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_do_not_answer_are_all_named() {
    let control = Control::start(Limits::default());
    let (first, second) = (closed().await, closed().await);
    let error = dialed(&control.target([first.clone(), second.clone()]))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&first.to_string()) && text.contains(&second.to_string()),
        "{text}"
    );
    assert!(matches!(
        dialed(&control.target([])).await,
        Err(DialError::NoEndpoint)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_name_is_looked_up() {
    let control = Control::start(Limits::default());
    let endpoint: Endpoint = format!("localhost:{}", control.address.port()).parse().unwrap();
    call(&control.target([endpoint]), hello()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_control_stops_its_port_closes_and_open_requests_end() {
    let control = Control::start(Limits::default());
    let target = control.target([control.endpoint()]);
    call(&target, hello()).await.unwrap();
    control.stop.cancel();
    timeout(SOON, control.served).await.unwrap().unwrap();
    assert!(matches!(
        call(&target, hello()).await,
        Err(DialError::Unreachable { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_before_trust_is_no_more_than_a_handshake() {
    let control = Control::start(Limits::default());
    let (listener, endpoint) = silent().await;
    let target = control.target([endpoint]);
    let dialing = tokio::spawn(async move { call(&target, hello()).await });
    let (mut stream, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
    let mut heard = vec![0; 4096];
    let length = stream.read(&mut heard).await.unwrap();
    // A TLS record of type handshake, without a name of a host, a path or a device.
    assert_eq!(heard[0], 22);
    assert!(
        !heard[..length]
            .windows(5)
            .any(|bytes| bytes == b"hello" || bytes == b"local")
    );
    dialing.abort();
}
