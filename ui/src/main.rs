//! The program that the page loads. It mounts the application.

fn main() {
    flotilla_ui::start();
}
