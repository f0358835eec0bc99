// Says that the page has stopped. A panic of the program ends in a trap, which the browser reports as an error of
// WebAssembly; from then on nothing of the program answers, so the notice lies in index.html and only this file serves it.
const notice = document.getElementById("stopped");
const text = notice.querySelector("pre");

function stop(error) {
  if (notice.open || !(error instanceof WebAssembly.RuntimeError)) {
    return;
  }
  text.textContent = [
    `Flotilla's page stopped: ${error.message}`,
    `Page: ${location.pathname}`,
    `Time: ${new Date().toISOString()}`,
    `Browser: ${navigator.userAgent}`,
    error.stack,
  ].join("\n");
  // Above dialogs that are open, which no longer close.
  notice.showModal();
}

function copy() {
  getSelection().selectAllChildren(text);
  document.execCommand("copy");
}

addEventListener("error", (event) => stop(event.error));
addEventListener("unhandledrejection", (event) => stop(event.reason));
document.getElementById("stopped-reload").addEventListener("click", () => location.reload());
document.getElementById("stopped-copy").addEventListener("click", copy);
