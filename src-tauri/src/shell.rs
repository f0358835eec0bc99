//! The state of the shell: control behind the window, the tray, and how both start and stop.

use crate::{
    awaited::AwaitedDevices,
    local_control::LocalControl,
    options::Options,
    start_trouble::{StartChoice, StartTrouble},
    system_agent,
    tray::Tray,
    window::{self, ShellRequest},
};
use flotilla_client::Client;
use flotilla_protocol::{
    api::{ListDevices, Resource},
    device::Device,
    shell::ServiceOutcome,
};
use futures_util::StreamExt;
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tauri::{AppHandle, Manager, Url, WebviewUrl, async_runtime};
use tauri_plugin_notification::NotificationExt;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How long control may drain at the end; after that the process ends anyway.
const DRAIN: Duration = Duration::from_secs(10);

/// From the end of the live stream to the next attempt to follow it.
const FOLLOW_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Shell {
    options: Options,
    fleet: Mutex<Option<LocalControl>>,
    /// The address of control's pages, once control runs in this process.
    own: OnceLock<Url>,
    tray: Option<Tray>,
}

impl Shell {
    /// Starts control and opens the window with its page, or with the reason why it can't start.
    pub(crate) fn open(app: &AppHandle, options: Options) -> tauri::Result<()> {
        let tray = Tray::build(app);
        app.manage(Arc::new(Self {
            options: options.clone(),
            fleet: Mutex::new(None),
            own: OnceLock::new(),
            tray,
        }));
        let page = async_runtime::block_on(Self::start(app, options));
        window::open(app, page)?;
        quit_on_signal(app.clone());
        Ok(())
    }

    /// Stops everything behind the window.
    pub(crate) async fn close(app: &AppHandle) {
        let fleet = Self::of(app).fleet.lock().await.take();
        if let Some(fleet) = fleet
            && tokio::time::timeout(DRAIN, fleet.stop()).await.is_err()
        {
            tracing::warn!("control did not drain in time");
        }
    }

    /// Whether the shell outlives its window.
    pub(crate) fn stays(app: &AppHandle) -> bool {
        Self::of(app).tray.is_some()
    }

    /// The address of control's pages, once control runs in this process.
    pub(crate) fn own_address(app: &AppHandle) -> Option<Url> {
        Self::of(app).own.get().cloned()
    }

    /// Does what the page in the window asks for, if it is a page of control.
    pub(crate) fn handle_request(app: &AppHandle, request: ShellRequest) {
        let app = app.clone();
        async_runtime::spawn(async move {
            if !Self::own_address(&app).is_some_and(|own| window::shows(&app, &own)) {
                return;
            }
            match request {
                ShellRequest::Service => Self::install_service(&app),
                ShellRequest::SignIn => Self::sign_in(&app).await,
            }
        });
    }

    /// Shows control's page in the window, with a session of its own.
    async fn sign_in(app: &AppHandle) {
        if let Some(fleet) = &*Self::of(app).fleet.lock().await {
            window::navigate(app, window::of_control(&fleet.control.window_url()));
        }
    }

    /// Does what the person chose on the start page.
    pub(crate) fn choose(app: &AppHandle, choice: StartChoice) {
        let mut options = Self::of(app).options.clone();
        match choice {
            StartChoice::Quit => return app.exit(0),
            StartChoice::Retry => {}
            StartChoice::FreeApiPort => options.api_addr.set_port(0),
            StartChoice::FreeFleetPort => options.fleet_addr.set_port(0),
        }
        let app = app.clone();
        async_runtime::spawn(async move {
            let page = Self::start(&app, options).await;
            window::navigate(&app, page);
        });
    }

    /// Installs the agent of this computer as a service of the system, and reports the result to page and person.
    pub(crate) fn install_service(app: &AppHandle) {
        let app = app.clone();
        async_runtime::spawn(async move {
            let options = Self::of(&app).options.clone();
            let installed = match options.control() {
                Ok(config) => system_agent::install(&config.data_dir, config.agents_dir.as_deref()).await,
                Err(error) => Err(error.into()),
            };
            let outcome = match installed {
                Ok(()) => {
                    notify(&app, "The system service is installed");
                    ServiceOutcome::Installed
                }
                Err(error) => {
                    tracing::warn!(%error, "the system service was not installed");
                    notify(&app, &error.to_string());
                    error.into()
                }
            };
            window::answer(&app, &outcome);
        });
    }

    fn offer_service(&self, devices: &[Device]) {
        let own = devices.iter().find(|device| device.this_computer);
        if let (Some(tray), Some(own)) = (&self.tray, own) {
            tray.offer_service(system_agent::is_useful(own));
        }
    }

    fn of(app: &AppHandle) -> Arc<Self> {
        app.state::<Arc<Self>>().inner().clone()
    }

    /// Starts control; returns the page to show.
    async fn start(app: &AppHandle, options: Options) -> WebviewUrl {
        let shell = Self::of(app);
        let mut running = shell.fleet.lock().await;
        let config = match options.control() {
            Ok(config) => config,
            Err(error) => return WebviewUrl::App(StartTrouble::of_data_dir(&error).page().into()),
        };
        let data_dir = config.data_dir.clone();
        match LocalControl::start(config).await {
            Ok(fleet) => {
                let page = window::of_control(&fleet.control.window_url());
                if let WebviewUrl::External(own) = &page {
                    // Control starts only once in a process, so its address never changes.
                    shell.own.get_or_init(|| own.clone());
                }
                async_runtime::spawn(follow(app.clone(), data_dir, fleet.stopping()));
                *running = Some(fleet);
                page
            }
            Err(error) => {
                tracing::error!(%error, "control can't start");
                WebviewUrl::App(StartTrouble::of(&error).page().into())
            }
        }
    }

    async fn refresh_tray(&self) {
        if let (Some(tray), Some(fleet)) = (&self.tray, &*self.fleet.lock().await) {
            tray.show(&fleet.control.summary());
        }
    }
}

/// Keeps tray and notifications current until control stops.
async fn follow(app: AppHandle, data_dir: PathBuf, stopping: CancellationToken) {
    let following = async {
        loop {
            if let Err(error) = follow_once(&app, &data_dir).await {
                tracing::debug!(%error, "the live stream ended");
            }
            tokio::time::sleep(FOLLOW_AGAIN).await;
        }
    };
    tokio::select! {
        () = following => {}
        () = stopping.cancelled() => {}
    }
}

async fn follow_once(app: &AppHandle, data_dir: &std::path::Path) -> Result<(), flotilla_client::Error> {
    let client = Client::from_data_dir(data_dir)?;
    let mut frames = client.live().await?;
    let mut awaited = AwaitedDevices::default();
    let devices = client.send(&ListDevices).await?.items;
    awaited.load(&devices);
    let shell = Shell::of(app);
    shell.offer_service(&devices);
    shell.refresh_tray().await;
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        if frame.reset {
            awaited.load(&client.send(&ListDevices).await?.items);
        }
        if let Some(Resource::Device(device)) = &frame.upsert {
            shell.offer_service(std::slice::from_ref(&**device));
        }
        if let Some(name) = awaited.handle_frame(&frame)
            && !window::shows_add_device(app)
        {
            notify(app, &format!("{name} is online"));
        }
        shell.refresh_tray().await;
    }
    Ok(())
}

pub(crate) fn notify(app: &AppHandle, title: &str) {
    if let Err(error) = app.notification().builder().title(title).show() {
        tracing::warn!(%error, "a notification can't be shown");
    }
}

#[cfg(unix)]
fn quit_on_signal(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    async_runtime::spawn(async move {
        let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        if let (Ok(mut terminate), Ok(mut interrupt)) = signals {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            app.exit(0);
        }
    });
}

#[cfg(not(unix))]
fn quit_on_signal(_: AppHandle) {}
