//! Streams from an agent, over its link and a WebSocket, to a client, and each way in which they end.

use super::*;
use crate::api::tests::numbers::{Number, Numbers, Wanted, router};
use crate::control::tests::modes::add_box;
use flotilla_link::stream::{Opened, answer};
use flotilla_protocol::{
    api::PREFIX,
    id::DeviceId,
    stream::{End, Event, EventOf, Frame, Reader, STREAM_PROTOCOL, Streaming},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{net::TcpSocket, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

const SOON: Duration = Duration::from_secs(20);

/// What the stream of an agent has done.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeNumbers {
    sent: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FakeNumbers {
    pub(super) fn routes(&self) -> Router {
        let numbers = self.clone();
        let count = async move |Opened { open, mut up }: Opened<Numbers>| {
            numbers.alive.fetch_add(1, Ordering::SeqCst);
            let (alive, sent) = (Alive(numbers.alive.clone()), numbers.sent.clone());
            answer::<Numbers, _>(CancellationToken::new(), |mut out| async move {
                let _alive = alive;
                for number in open.from..open.most {
                    out.send(&Number(number)).await.unwrap();
                    sent.fetch_add(1, Ordering::SeqCst);
                }
                while let Ok(Some(said)) = up.next().await {
                    out.send(&said).await.unwrap();
                }
                End::Finished { outcome: open.most }
            })
        };
        Router::new().route(Numbers::PATH, post(count))
    }

    /// Waits until this many streams are left at the agent.
    async fn left(&self, streams: usize) {
        let left = async {
            while self.alive.load(Ordering::SeqCst) != streams {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        timeout(SOON, left).await.expect("who sends is gone in time");
    }
}

/// What the upgrade of a caller says of it.
pub(super) type Headers = [(&'static str, String); 2];

/// A control with a linked agent, and a port with the stream.
pub(super) struct Bed {
    pub(super) control: Control,
    pub(super) agent: Agent,
    pub(super) enrolled: EnrolledDevice,
    device: DeviceId,
    address: std::net::SocketAddr,
    _dir: tempfile::TempDir,
}

impl Bed {
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::start(config(dir.path())).await.unwrap();
        let (agent, enrolled) = add_box(&control, "host").await;
        let listener = flotilla_link::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(flotilla_link::serve_local(listener, router(&control.core), stop));
        let device = control.device("box").await.id;
        Self {
            control,
            agent,
            enrolled,
            device,
            address,
            _dir: dir,
        }
    }

    /// The headers of a program.
    pub(super) fn token(&self) -> Headers {
        Self::token_of(&self.control)
    }

    pub(super) fn token_of(control: &Control) -> Headers {
        let file = std::fs::read_to_string(control.data_dir.file(API_FILE)).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let token = format!("Bearer {}", file["token"].as_str().unwrap());
        [
            ("authorization", token),
            ("sec-websocket-protocol", STREAM_PROTOCOL.into()),
        ]
    }

    /// The headers of a page that has just signed in.
    pub(super) fn session(&self) -> Headers {
        let core = &self.control.core;
        let now = core.clock.now();
        let code = core.access.open_code(LinkPurpose::Request, now);
        let opened = core
            .access
            .open_session(code.reveal(), "here".into(), now)
            .unwrap();
        let cookie = format!("flotilla-{}={}", core.api_addr.port(), opened.cookie.reveal());
        let protocols = format!("{STREAM_PROTOCOL}, flotilla.session.{}", opened.page.reveal());
        [("cookie", cookie), ("sec-websocket-protocol", protocols)]
    }

    async fn upgrade(
        &self,
        headers: Headers,
    ) -> Result<WebSocketStream<tokio::net::TcpStream>, tungstenite::Error> {
        upgrade(self.address, &Numbers::path(&self.device), headers).await
    }

    async fn open(&self, headers: Headers, wanted: Wanted) -> Page<Numbers> {
        Page::open(self.address, &self.device, (headers, wanted)).await
    }

    /// The headers of a program that may only view what has this tag.
    pub(super) async fn viewer(&self, name: &str, tag: &str) -> Headers {
        let body = format!(r#"{{"name":"{name}","tags":["{tag}"]}}"#);
        let made = self.control.ask("POST", "/tokens", &body).await;
        let bearer = format!("Bearer {}", made["token"].as_str().expect("a token"));
        [
            ("authorization", bearer),
            ("sec-websocket-protocol", STREAM_PROTOCOL.into()),
        ]
    }

    pub(super) async fn retag(&self, change: &str) {
        self.control.ask("PATCH", "/devices/box", change).await;
    }
}

async fn upgrade(
    address: std::net::SocketAddr,
    path: &str,
    headers: Headers,
) -> Result<WebSocketStream<tokio::net::TcpStream>, tungstenite::Error> {
    let uri = format!("ws://{address}{PREFIX}{path}");
    let mut request = uri.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let stream = socket.connect(address).await.unwrap();
    client_async(request, stream).await.map(|(socket, _)| socket)
}

/// Who reads.
pub(super) struct Page<S: Streaming> {
    socket: WebSocketStream<tokio::net::TcpStream>,
    pub(super) reader: Reader<S>,
}

impl<S: Streaming> Page<S> {
    pub(super) async fn open(
        address: std::net::SocketAddr,
        at: &S::At,
        (headers, wanted): (Headers, S::Open),
    ) -> Self {
        let mut socket = upgrade(address, &S::path(at), headers).await.unwrap();
        let open = Frame::open::<S>(&wanted).unwrap().to_bytes().unwrap();
        socket.send(Message::Binary(open)).await.unwrap();
        Self {
            socket,
            reader: Reader::new(wanted),
        }
    }

    pub(super) async fn next(&mut self) -> EventOf<S> {
        loop {
            if let Some(event) = self.reader.poll_event() {
                return event;
            }
            match timeout(SOON, self.socket.next())
                .await
                .expect("a message in time")
            {
                Some(Ok(Message::Binary(chunk))) => self.reader.handle_bytes(&chunk),
                Some(Ok(Message::Close(_)) | Err(_)) | None => self.reader.handle_lost(),
                Some(Ok(_)) => {}
            }
        }
    }

    async fn say(&mut self, frame: Frame) {
        let said = frame.to_bytes().unwrap();
        self.socket.send(Message::Binary(said)).await.unwrap();
    }
}

impl Page<Numbers> {
    /// Reads numbers that must follow each other from this one on, until the end; returns it and the next number.
    async fn read_on(&mut self, mut number: u64) -> (End<u64>, u64) {
        loop {
            match self.next().await {
                Event::Item(read) => {
                    assert_eq!(read, Number(number));
                    number += 1;
                }
                Event::End(end) => return (end, number),
            }
        }
    }
}

fn wanted(most: u64) -> Wanted {
    Wanted { from: 0, most }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_all_in_order_says_something_and_reads_the_end() {
    let bed = Bed::new().await;
    let mut page = bed.open(bed.session(), wanted(20_000)).await;
    page.say(Frame::of(&Number(20_000)).unwrap()).await;
    page.say(Frame::FINISH).await;
    let read = page.read_on(0).await;
    assert_eq!(read, (End::Finished { outcome: 20_000 }, 20_001));
    bed.enrolled.numbers.left(0).await;
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stops_reading_stops_the_agent_and_no_other_page() {
    let bed = Bed::new().await;
    let mut slow = bed.open(bed.session(), wanted(u64::MAX)).await;
    for number in 0..10 {
        assert_eq!(slow.next().await, Event::Item(Number(number)));
    }
    let mut other = bed.open(bed.token(), wanted(30_000)).await;
    other.say(Frame::FINISH).await;
    assert_eq!(other.read_on(0).await.1, 30_000);
    // What the link lets a stream have under way, and what two sockets of this computer take: 4 MB at most in either
    // direction unless the system is told otherwise.
    let ahead = bed.enrolled.numbers.sent.load(Ordering::SeqCst) - 30_000;
    assert!(
        ahead < 12_000,
        "{ahead} numbers of 1 kB were sent to a page that reads none"
    );
    for number in 10..15_000 {
        assert_eq!(slow.next().await, Event::Item(Number(number)));
    }
    drop(slow);
    bed.enrolled.numbers.left(0).await;
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_lost_is_told_and_the_stream_goes_on_over_the_next_one() {
    let bed = Bed::new().await;
    let mut page = bed.open(bed.token(), wanted(30_000)).await;
    for number in 0..100 {
        assert_eq!(page.next().await, Event::Item(Number(number)));
    }
    bed.agent.link.abort();
    let (end, reached) = page.read_on(100).await;
    assert!(end == End::LinkLost && end.can_go_on(), "{end:?}");
    let away = bed.open(bed.token(), wanted(1)).await.read_on(0).await.0;
    let agent = bed.enrolled.dial("box").await.unwrap();
    agent.reports.send(hello()).await.unwrap();
    while bed.control.core.links.lookup(bed.device).is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut page = bed.open(bed.token(), page.reader.into_open()).await;
    page.say(Frame::FINISH).await;
    assert_eq!(
        page.read_on(reached).await,
        (End::Finished { outcome: 30_000 }, 30_000)
    );
    let End::Failed { problem } = away else {
        panic!("{away:?}");
    };
    assert_eq!(problem.code, Code::DeviceOffline);
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_session_that_opened_it_and_with_its_page() {
    let bed = Bed::new().await;
    let mut page = bed.open(bed.session(), wanted(1)).await;
    let mut program = bed.open(bed.token(), wanted(1)).await;
    for reader in [&mut page, &mut program] {
        assert_eq!(reader.next().await, Event::Item(Number(0)));
    }
    let sessions = bed.control.core.access.sessions(bed.control.core.clock.now());
    let began = Instant::now();
    bed.control.core.access.end_session(sessions[0].id);
    assert_eq!(page.read_on(1).await, (End::NotAllowed, 1));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let refused = bed
        .upgrade([("cookie", "x=y".into()), ("x-nothing", "x".into())])
        .await;
    let Err(tungstenite::Error::Http(response)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    // The program's goes on.
    bed.enrolled.numbers.left(1).await;
    drop(program);
    bed.enrolled.numbers.left(0).await;
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_streams_of_its_devices_only_and_for_as_long_as_they_are_its_own() {
    let bed = Bed::new().await;
    bed.retag(r#"{"tags":{"add":["prod"],"remove":[]}}"#).await;
    let refused = bed.upgrade(bed.viewer("other", "lab").await).await;
    let Err(tungstenite::Error::Http(response)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let [mut one, mut two] = [
        bed.open(bed.viewer("one", "prod").await, wanted(1)).await,
        bed.open(bed.viewer("two", "prod").await, wanted(1)).await,
    ];
    for program in [&mut one, &mut two] {
        assert_eq!(program.next().await, Event::Item(Number(0)));
    }
    bed.control.ask("DELETE", "/tokens/one", "").await;
    assert_eq!(one.read_on(1).await, (End::NotAllowed, 1));
    bed.enrolled.numbers.left(1).await;
    bed.retag(r#"{"tags":{"add":[],"remove":["prod"]}}"#).await;
    assert_eq!(two.read_on(1).await, (End::NotAllowed, 1));
    bed.enrolled.numbers.left(0).await;
    bed.control.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_cannot_take_all_streams_of_a_device_and_all_end_when_control_stops() {
    let bed = Bed::new().await;
    let session = bed.session();
    let mut pages = Vec::new();
    let refused = loop {
        let mut page = bed.open(session.clone(), wanted(1)).await;
        match page.next().await {
            Event::Item(Number(0)) => pages.push(page),
            event => break event,
        }
    };
    let Event::End(End::Failed { problem }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((pages.len(), problem.code), (50, Code::LinkBusy), "{problem}");
    let mut other = bed.open(bed.session(), wanted(1)).await;
    assert_eq!(other.next().await, Event::Item(Number(0)));
    drop(pages);
    let told = async {
        assert_eq!(other.read_on(1).await, (End::Stopping, 1));
    };
    tokio::join!(bed.control.shutdown(), told);
}
