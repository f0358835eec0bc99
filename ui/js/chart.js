/*! Contains uPlot, https://github.com/leeoniya/uPlot, MIT license, Copyright (c) Leon Sorokin. */
// One line over time, drawn by uPlot. All words, and what a person operates, are the page's; this draws.
import uPlot from "uplot";
import sheet from "uplot/dist/uPlot.min.css";

// In the lowest layer, so that the page's own sheets win.
const style = document.createElement("style");
style.textContent = `@layer base {${sheet}}`;
document.head.append(style);

const HEIGHT = 140;
const MINUTE = 60;
const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** The labels of the time axis, whose marks are at these seconds since 1970. */
function times(marks) {
  const clock = marks[1] - marks[0] < MINUTE ? seconds : minutes;
  return marks.map((second) => clock.format(second * 1000));
}

/** A color of the sheets, as it is in the theme of this moment. */
function color(place, name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  place.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/**
 * Draws into `place` a line between 0 and `top`, whose scale has the unit `unit`. `moved` is called with the index of
 * the value under the pointer, or with null where there is none.
 */
export function draw(place, top, unit, moved) {
  let ink;
  const dip = () => {
    ink = { line: color(place, "--chart-1"), words: color(place, "--muted"), grid: color(place, "--border") };
  };
  dip();
  let [from, to] = [0, 1];
  const font = `12px ${getComputedStyle(place).fontFamily}`;
  const axis = { stroke: () => ink.words, grid: { stroke: () => ink.grid, width: 1 }, ticks: { show: false }, font };
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [8, 24, 0, 0],
      scales: { x: { range: () => [from, to] }, y: { range: () => [0, top] } },
      series: [{}, { stroke: () => ink.line, width: 2, points: { show: false }, spanGaps: false }],
      axes: [
        { ...axis, size: 24, space: 80, values: (_, marks) => times(marks) },
        { ...axis, size: 48, values: (_, marks) => marks.map((value) => `${value}${unit}`) },
      ],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false, setScale: false } },
      hooks: { setCursor: [(plot) => moved(plot.cursor.idx ?? null)] },
    },
    [[], []],
    place,
  );
  const sized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  sized.observe(place);
  const redraw = () => {
    dip();
    plot.redraw(false, true);
  };
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", redraw);
  return {
    /** The values at the times, in seconds since 1970. The span from `first` to `last` is shown. NaN is a gap. */
    set(first, last, times, values) {
      [from, to] = [first, last];
      plot.setData([Array.from(times), Array.from(values, (value) => (Number.isNaN(value) ? null : value))]);
    },
    /** Moves the cursor to the value with this index, or away. */
    point(index) {
      const [times, values] = plot.data;
      if (index === (plot.cursor.idx ?? null)) return;
      const away = { left: -10, top: -10 };
      const at = (index) => ({ left: plot.valToPos(times[index], "x"), top: plot.valToPos(values[index] ?? 0, "y") });
      plot.setCursor(index in times ? at(index) : away);
    },
    end() {
      sized.disconnect();
      theme.disconnect();
      system.removeEventListener("change", redraw);
      plot.destroy();
    },
  };
}
