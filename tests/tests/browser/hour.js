// A clock that the test moves, a count of the live frames that it waits for, and a record of every move of the focus
// while the focus is held. Runs before the page's own scripts.
{
    const [now, every, stop] = [Date.now, window.setInterval, window.clearInterval];
    const ticking = new Map();
    let ahead = 0;
    let held = null;
    const hour = window.hour = { awaited: null, heard: 0, moves: [], memory: null };

    // Seconds pass at once, and with each the page's clock ticks.
    Date.now = () => now() + ahead;
    window.setInterval = (tick, wait, ...rest) => {
        const id = every(tick, wait, ...rest);
        ticking.set(id, tick);
        return id;
    };
    window.clearInterval = id => {
        ticking.delete(id);
        stop(id);
    };
    hour.pass = seconds => {
        for (let second = 0; second < seconds; second++) {
            ahead += 1000;
            for (const tick of ticking.values()) tick();
        }
    };

    const data = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data').get;
    Object.defineProperty(MessageEvent.prototype, 'data', {
        get() {
            const text = data.call(this);
            if (hour.awaited && typeof text === 'string' && text.includes(hour.awaited)) hour.heard++;
            return text;
        },
    });

    const name = element => element?.ariaLabel ?? element?.textContent?.slice(0, 40) ?? 'nothing';
    const note = what => held && hour.moves.length < 20 && hour.moves.push(what);
    hour.hold = () => {
        held = document.activeElement;
        hour.moves = [];
        return `${held.tagName} ${name(held)}`;
    };
    hour.release = () => {
        held = null;
        return hour.moves;
    };
    for (const kind of ['focusin', 'focusout']) {
        window.addEventListener(kind, event => note(`${kind} at ${event.target.tagName} ${name(event.target)}`), true);
    }
    // An element that is removed loses the focus without an event.
    const look = () => {
        if (held && document.activeElement !== held) note(`the focus is on ${document.activeElement.tagName}`);
        requestAnimationFrame(look);
    };
    look();

    for (const make of ['instantiate', 'instantiateStreaming']) {
        const made = WebAssembly[make];
        WebAssembly[make] = async (...given) => {
            const answer = await made.apply(WebAssembly, given);
            hour.memory ??= (answer.instance ?? answer).exports?.memory;
            return answer;
        };
    }
}
