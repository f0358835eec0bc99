//! What is said below the lines: how the log goes on, how much of it is there, and the way back to its end.

use super::viewer::Viewer;
use crate::{
    components::{
        button::Button,
        icon::{Icon, lucide},
    },
    copy::logs as copy,
    logs::feed::FeedState,
};
use leptos::prelude::*;

#[component]
pub(super) fn Foot(viewer: Viewer) -> impl IntoView {
    let state = viewer.feed.state;
    let trouble = Memo::new(move |_| match state.get() {
        FeedState::Lost { why, .. } => Some(copy::waiting(&why)),
        FeedState::Refused(why) => Some(why),
        FeedState::Opening | FeedState::Reading | FeedState::Over(_) => None,
    });
    let lines = Memo::new(move |_| copy::lines(viewer.counts.get().lines));
    let gone = Memo::new(move |_| viewer.counts.get().gone);
    let unread = Memo::new(move |_| viewer.counts.get().unread);
    let jump = move || {
        (!viewer.follows.get()).then(|| {
            view! {
                <span class="log-jump">
                    {move || (unread.get() > 0).then(|| copy::unread(unread.get()))}
                    <Button label=copy::JUMP glyph=lucide::ARROW_DOWN on_press=move || viewer.jump_to_latest()/>
                </span>
            }
        })
    };
    view! {
        <div class="log-foot">
            <span role="status" class="log-state">
                {move || trouble.get().map(|words| view! { <span class="warn"><Icon glyph=lucide::UNPLUG/></span>" "{words} })}
            </span>
            <span class="num">{move || lines.get()}</span>
            {move || (gone.get() > 0).then(|| view! { <span class="num">{copy::older(gone.get())}</span> })}
            {jump}
        </div>
    }
}
