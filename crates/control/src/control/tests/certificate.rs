//! A control that runs for months.

use super::*;
use crate::testbed::Testbed;
use flotilla_identity::PeerCertificate;
use flotilla_link::AgentLink;
use rustls::{ClientConnection, pki_types::ServerName};
use std::net::TcpStream;

const DAY: i64 = 86_400;

/// A control whose clock the test sets, with its fleet port open.
struct Running {
    bed: Testbed,
    address: SocketAddr,
    tasks: TaskTracker,
}

impl Running {
    async fn start() -> Self {
        let bed = Testbed::new().await;
        let listener = flotilla_link::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = TaskTracker::new();
        let core = &bed.core;
        let (tls, stop) = (core.trust.tls.clone(), core.stop.clone());
        tasks.spawn(flotilla_link::serve_tls(
            listener,
            tls,
            fleet_port::router(core),
            stop,
        ));
        tasks.spawn(timers::run(core.clone()));
        tasks.close();
        Self { bed, address, tasks }
    }

    async fn enrolled(&self, name: &str) -> EnrolledDevice {
        let added: flotilla_protocol::api::DeviceAdded = self
            .bed
            .post("/devices", &format!(r#"{{"name":"{name}"}}"#))
            .await;
        let mut config: ConfigFile = toml::from_str(&added.config.unwrap()).unwrap();
        config.endpoints = vec![self.address.to_string().parse().unwrap()];
        enroll(config, name).await
    }

    /// The certificate that control presents in a handshake.
    async fn presented(&self, device: &EnrolledDevice) -> PeerCertificate {
        let (tls, address) = (target(&device.config, None).tls, self.address);
        let client = tokio::task::spawn_blocking(move || {
            let mut client = ClientConnection::new(tls, ServerName::from(address.ip())).unwrap();
            let mut socket = TcpStream::connect(address).unwrap();
            client.complete_io(&mut socket).unwrap();
            client
        });
        let client = client.await.unwrap();
        PeerCertificate::from_der(&client.peer_certificates().unwrap()[0]).unwrap()
    }

    /// Waits until control has let the device's link in, which is later than the device's end of it is there.
    async fn link_of(&self, device: &EnrolledDevice) -> AgentLink {
        let lookup = || self.bed.core.links.lookup(device.response.device_id);
        eventually("it has a link", async || lookup().is_some()).await;
        lookup().unwrap()
    }

    /// Sets the clock, and waits until another certificate than `before` is presented.
    async fn sleep_for(
        &self,
        days: i64,
        device: &EnrolledDevice,
        before: &PeerCertificate,
    ) -> PeerCertificate {
        self.bed.clock.advance(days * DAY);
        self.bed.core.timers_changed.notify_one();
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let presented = self.presented(device).await;
            if presented != *before {
                return presented;
            }
            assert!(
                Instant::now() < deadline,
                "day {days}: it expires {}",
                presented.expires
            );
        }
    }

    async fn stop(self) {
        self.bed.core.stop.cancel();
        self.tasks.wait().await;
    }
}

#[tokio::test]
async fn control_replaces_its_certificate_in_time_without_a_restart_and_links_live_on() {
    let control = Running::start().await;
    let core = &control.bed.core;
    let nas = control.enrolled("nas").await;
    let agent = nas.dial("nas").await.unwrap();
    let link = control.link_of(&nas).await;
    let facts = core.fleet(&flotilla_protocol::api::Scope::All);
    let first = control.presented(&nas).await;

    let second = control.sleep_for(61, &nas, &first).await;
    let now = core.clock.now();
    assert_eq!(now.as_second() - second.not_before.as_second(), 600);
    assert_eq!(second.expires.as_second() - now.as_second(), 90 * DAY);
    // Its computer sleeps beyond the end of the certificate.
    let third = control.sleep_for(300, &nas, &second).await;
    assert_eq!(third.expires.as_second() - core.clock.now().as_second(), 90 * DAY);

    let answer = link.get::<Value>(PING_PATH, Duration::from_secs(5)).await;
    assert_eq!(answer, Ok(json!({})));
    assert!(!agent.link.is_finished());
    let later = core.fleet(&flotilla_protocol::api::Scope::All);
    assert_eq!((later.tls_pin, later.ca_pin), (facts.tls_pin, facts.ca_pin));
    let vps = control.enrolled("vps").await;
    assert!(vps.dial("vps").await.is_ok());
    control.stop().await;
}
