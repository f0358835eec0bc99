//! The calls that the fake agent answers.

use super::*;

impl EnrolledDevice {
    /// The agent's API on its link; the calls are noted in `calls`.
    pub(super) fn routes(&self, receiver: mpsc::Receiver<Report>, calls: &Arc<Mutex<Vec<String>>>) -> Router {
        let (settings, revoked, acted) = (calls.clone(), calls.clone(), calls.clone());
        let (mapped, refusals) = (self.mapped.clone(), self.refusals.clone());
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        let watch = move || async move {
            let receiver = receiver.lock().unwrap().take().unwrap();
            Body::from_stream(futures_util::stream::unfold(
                receiver,
                |mut receiver| async move {
                    let line = serde_json::to_string(&receiver.recv().await?).unwrap() + "\n";
                    Some((Ok::<_, std::convert::Infallible>(line), receiver))
                },
            ))
        };
        Router::new()
            .route(WATCH_PATH, get(watch))
            .route(PING_PATH, get(async || Json(json!({}))))
            .merge(self.jobs.routes(calls))
            .merge(self.numbers.routes())
            .merge(self.logs.routes())
            .route(
                MAP_PATH,
                post(move |Json(push): Json<MapPush>| async move { Json(mapped.lock().unwrap().take(push)) }),
            )
            .route(&format!("{PATHS_PATH}/{{peer}}/test"), post(tested))
            .route(
                SETTINGS_PATH,
                post(move |Json(body): Json<Value>| async move {
                    let one_less = |left: usize| left.checked_sub(1);
                    if refusals
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                        .is_ok()
                    {
                        let problem = Code::Unavailable.because("The disk is full.");
                        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!(problem)));
                    }
                    let said = format!("settings {}", body["device_name"].as_str().unwrap());
                    settings.lock().unwrap().push(said);
                    (StatusCode::OK, Json(json!({})))
                }),
            )
            .route(
                REVOKED_PATH,
                post(move || async move {
                    revoked.lock().unwrap().push("revoked".to_owned());
                    Json(json!({}))
                }),
            )
            .route(
                &format!("{CONTAINERS_PATH}/{{id}}/{{action}}"),
                post(move |Path((id, action)): Path<(String, String)>| async move {
                    acted.lock().unwrap().push(format!("{action} {id}"));
                    Json(json!({}))
                }),
            )
    }
}

async fn tested(Path(peer): Path<String>) -> Json<Value> {
    Json(json!([{ "target": format!("Local {peer}"), "rtt_ms": 1.5 }]))
}
