"use strict";
// The page's timelines, the failure matrix' rows and the filter of the assertions.
(() => {
  const courses = JSON.parse(document.getElementById("courses").textContent);
  const words = JSON.parse(document.getElementById("words").textContent);
  const LEAST_MS = 1; // no chart shows less time than this
  const STEP = 0.2; // of the time shown, that one key moves
  const LANE = 26, AXIS = 24, TOP = 18, LEFT = 52, RIGHT = 8;

  const format = (ms) => {
    const size = Math.abs(ms);
    if (size >= 1000) return `${(ms / 1000).toFixed(3)} s`;
    return `${ms.toFixed(size < 10 ? 2 : 1)} ms`;
  };
  const relative = (ms) => (ms < 0 ? "−" : "+") + format(Math.abs(ms));
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  /** First index of the ascending list whose value is not below the given one. */
  const lowerBound = (list, value) => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] < value) low = middle + 1; else high = middle;
    }
    return low;
  };

  /** Steps of 1, 2 or 5 so that about `most` of them fit. */
  const stepFor = (span, most) => {
    const raw = span / most, power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  };

  class Timeline {
    constructor(figure, course) {
      this.figure = figure;
      this.course = course;
      this.plot = figure.querySelector(".plot");
      this.canvas = figure.querySelector("canvas");
      this.output = figure.querySelector("output");
      this.bad = new Set(course.bad);
      this.most = course.took.reduce((a, b) => Math.max(a, b), 1);
      this.least = course.took.reduce((a, b) => Math.min(a, b), this.most);
      this.start = course.start;
      this.end = course.end;
      this.plot.style.height = `${TOP + 200 + AXIS + LANE * (course.lanes.length + 1)}px`;
      this.listen();
    }

    show(start, end) {
      const { course } = this;
      const span = clamp(end - start, LEAST_MS, Math.max(course.end - course.start, LEAST_MS));
      this.start = clamp(start, course.start, Math.max(course.start, course.end - span));
      this.end = this.start + span;
      this.draw();
    }

    zoom(factor, at = (this.start + this.end) / 2) {
      this.show(at - (at - this.start) * factor, at + (this.end - at) * factor);
    }

    move(share) {
      const by = (this.end - this.start) * share;
      this.show(this.start + by, this.end + by);
    }

    /** Show a moment with the slowest I/O after it, so that the stall fills the chart. */
    goTo(moment) {
      let longest = 50;
      for (const [start, end] of this.course.stalls) {
        if (start <= moment + 1000 && end >= moment - 5) longest = Math.max(longest, end - moment);
      }
      this.show(moment - longest * 0.25, moment + longest * 1.25);
    }

    act(name) {
      const { course } = this;
      const acts = {
        in: () => this.zoom(0.5), out: () => this.zoom(2),
        earlier: () => this.move(-STEP), later: () => this.move(STEP),
        all: () => this.show(course.start, course.end),
        fault: () => course.fault && this.goTo(course.fault[0]),
        mend: () => course.fault && this.goTo(course.fault[1]),
      };
      acts[name]();
    }

    listen() {
      const keys = {
        ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", ArrowUp: "in",
        "-": "out", ArrowDown: "out", Home: "all", f: "fault", m: "mend", F: "fault", M: "mend",
      };
      this.plot.addEventListener("keydown", (event) => {
        const act = keys[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        this.act(act);
      });
      for (const button of this.figure.querySelectorAll("button")) {
        button.addEventListener("click", () => this.act(button.dataset.do));
      }
      this.plot.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && document.activeElement !== this.plot) return;
        event.preventDefault(); // elsewhere the wheel scrolls the page
        this.zoom(event.deltaY < 0 ? 0.8 : 1.25, this.timeAt(event));
      }, { passive: false });
      this.plot.addEventListener("dblclick", (event) => this.zoom(0.4, this.timeAt(event)));
      let from = null;
      this.plot.addEventListener("pointerdown", (event) => {
        from = { x: event.clientX, start: this.start, end: this.end };
        this.plot.setPointerCapture(event.pointerId);
      });
      this.plot.addEventListener("pointermove", (event) => {
        if (!from) return;
        const by = (from.x - event.clientX) * (from.end - from.start) / this.width();
        this.show(from.start + by, from.end + by);
      });
      for (const name of ["pointerup", "pointercancel"]) {
        this.plot.addEventListener(name, () => { from = null; });
      }
    }

    width() { return Math.max(this.plot.clientWidth - LEFT - RIGHT, 1); }

    timeAt(event) {
      const x = event.clientX - this.plot.getBoundingClientRect().left - LEFT;
      return this.start + clamp(x / this.width(), 0, 1) * (this.end - this.start);
    }

    draw() {
      const scale = window.devicePixelRatio || 1;
      const width = this.plot.clientWidth, height = this.plot.clientHeight;
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      const pen = this.canvas.getContext("2d");
      pen.scale(scale, scale);
      pen.font = "12px system-ui, sans-serif";
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue(`--${name}`).trim();
      const bottom = height - AXIS - LANE * (this.course.lanes.length + 1);
      const x = (ms) => LEFT + (ms - this.start) / (this.end - this.start) * this.width();
      const low = Math.log10(Math.max(this.least, 0.001)) - 0.1;
      const high = Math.log10(Math.max(this.most, 1)) + 0.1;
      const y = (ms) => bottom
        - (Math.log10(Math.max(ms, 0.001)) - low) / (high - low) * (bottom - TOP);
      const chart = { pen, colour, x, y, bottom, low, high, width };
      this.drawFault(chart);
      this.drawAxes(chart);
      pen.save();
      pen.beginPath();
      pen.rect(LEFT, 0, this.width(), height);
      pen.clip();
      const seen = this.drawPoints(chart);
      this.drawEvents(chart);
      this.drawLanes(chart);
      pen.restore();
      this.say(seen);
    }

    drawFault({ pen, colour, x, bottom }) {
      const { fault } = this.course;
      if (!fault) return;
      const left = clamp(x(fault[0]), LEFT, LEFT + this.width());
      const right = clamp(x(fault[1]), LEFT, LEFT + this.width());
      pen.fillStyle = colour("fault");
      pen.fillRect(left, TOP, right - left, bottom - TOP);
      pen.fillStyle = colour("fault-ink");
      for (const [at, edge, word] of [[fault[0], left, words.fault], [fault[1], right, words.mend]]) {
        if (at < this.start || at > this.end) continue;
        pen.fillRect(edge - 0.5, TOP, 1, bottom - TOP);
        pen.textAlign = edge > this.width() - 20 ? "right" : "left";
        pen.fillText(word, edge, TOP - 5);
      }
    }

    drawAxes({ pen, colour, x, y, bottom, low, high }) {
      pen.fillStyle = colour("muted");
      pen.strokeStyle = colour("rule");
      pen.lineWidth = 0.5;
      pen.textAlign = "right";
      const ticks = high - low < 2 ? [1, 2, 5] : [1];
      for (let power = Math.floor(low); power <= high; power += 1) {
        for (const n of ticks) {
          const ms = n * 10 ** power, at = y(ms);
          if (at > bottom || at < TOP - 4) continue;
          const words = ms >= 1000 ? `${ms / 1000} s` : `${Number(ms.toPrecision(1))} ms`;
          pen.fillText(words, LEFT - 6, at + 4);
          pen.beginPath();
          pen.moveTo(LEFT, at);
          pen.lineTo(LEFT + this.width(), at);
          pen.stroke();
        }
      }
      const span = this.end - this.start;
      const step = stepFor(span, Math.max(2, Math.floor(this.width() / 90)));
      pen.textAlign = "center";
      for (let n = Math.ceil(this.start / step); n * step <= this.end; n += 1) {
        const at = n * step, place = clamp(x(at), LEFT + 14, LEFT + this.width() - 24);
        const seconds = span > 4000;
        const digits = Math.max(0, -Math.floor(Math.log10(seconds ? step / 1000 : step)));
        const words = (seconds ? at / 1000 : at).toFixed(digits).replace("-", "−");
        pen.fillText(n === 0 ? "0" : `${words} ${seconds ? "s" : "ms"}`, place, bottom + 15);
        pen.fillRect(x(at) - 0.5, bottom, 1, 4);
      }
    }

    /** Draw the slowest I/O of every pixel; return it for all that is shown. */
    drawPoints({ pen, colour, x, y, bottom }) {
      const { due, took } = this.course;
      const first = lowerBound(due, this.start);
      const columns = new Map();
      let slowest = -1, failed = 0;
      const failures = [];
      for (let index = first; index < due.length && due[index] <= this.end; index += 1) {
        const column = Math.floor(x(due[index]));
        const before = columns.get(column);
        if (before === undefined || took[index] > took[before]) columns.set(column, index);
        if (slowest < 0 || took[index] > took[slowest]) slowest = index;
        if (this.bad.has(index)) { failed += 1; failures.push(index); }
      }
      for (const [start, end] of this.course.stalls) {
        if (end < this.start || start > this.end) continue;
        pen.strokeStyle = colour("bad");
        pen.lineWidth = 2;
        pen.beginPath();
        pen.moveTo(x(start), y(end - start));
        pen.lineTo(x(end), y(end - start));
        pen.stroke();
      }
      pen.fillStyle = colour("data");
      for (const [column, index] of columns) {
        const top = y(took[index]);
        pen.globalAlpha = 0.35;
        pen.fillRect(column, top, 1, bottom - top);
        pen.globalAlpha = 1;
        pen.fillRect(column - 1, top - 1.5, 3, 3);
      }
      pen.strokeStyle = colour("bad");
      pen.lineWidth = 2;
      for (const index of failures) { // a cross, so that colour is not all that says so
        const left = x(due[index]), top = y(took[index]);
        pen.beginPath();
        pen.moveTo(left - 4, top - 4);
        pen.lineTo(left + 4, top + 4);
        pen.moveTo(left - 4, top + 4);
        pen.lineTo(left + 4, top - 4);
        pen.stroke();
      }
      return { slowest, failed };
    }

    /** Draw what happened as marks on a line, each with its words where there is room. */
    drawEvents({ pen, colour, x, bottom }) {
      const top = bottom + AXIS;
      pen.textAlign = "left";
      pen.fillStyle = colour("rule");
      pen.fillRect(LEFT, top + 16, this.width(), 1);
      let free = LEFT;
      for (const [at, words, grave] of this.course.events) {
        if (at < this.start || at > this.end) continue;
        const left = x(at);
        pen.fillStyle = colour(grave ? "bad" : "ink");
        pen.beginPath();
        pen.moveTo(left, top + 12);
        pen.lineTo(left + 4, top + 16.5);
        pen.lineTo(left, top + 21);
        pen.lineTo(left - 4, top + 16.5);
        pen.fill();
        const room = pen.measureText(words).width;
        if (left < free || left + room > LEFT + this.width()) continue;
        pen.fillText(words, left, top + 9);
        free = left + room + 8;
      }
    }

    /** Draw per path its name and its states; beneath, thinly, when its own probe failed. */
    drawLanes({ pen, colour, x, bottom }) {
      const up = /^(active|active\/.*|standby)$/, down = /^(failed|offline|removed)$/;
      this.course.lanes.forEach((lane, index) => {
        const top = bottom + AXIS + (index + 1) * LANE;
        pen.fillStyle = colour("ink");
        pen.fillText(lane.path, LEFT, top + 10);
        let free = LEFT + pen.measureText(lane.path).width + 12;
        for (const [start, end, state] of lane.spans) {
          if (end < this.start || start > this.end) continue;
          const left = Math.max(x(start), LEFT), right = Math.min(x(end), LEFT + this.width());
          const known = up.test(state) ? "up" : down.test(state) ? "down" : state ? "open" : "unknown";
          pen.fillStyle = colour(known);
          // A path that is down is a thin strip: the shape says it, too.
          const thin = known === "down" ? 2 : 0;
          pen.fillRect(left, top + 13 + thin, right - left, 8 - 2 * thin);
          const words = state || "?", room = pen.measureText(words).width;
          const from = Math.max(left, free);
          if (from + room > right) continue;
          pen.fillStyle = colour("muted");
          pen.fillText(words, from, top + 10);
          free = from + room + 8;
        }
        pen.fillStyle = colour("bad");
        for (const [start, end] of lane.errors) {
          if (end < this.start || start > this.end) continue;
          pen.fillRect(x(start), top + 22, Math.max(x(end) - x(start), 1), 2);
        }
      });
    }

    say({ slowest, failed }) {
      const { due, took } = this.course;
      const range = `${relative(this.start)} – ${relative(this.end)}`;
      const worst = slowest < 0 ? "–" : `${format(took[slowest])} (${relative(due[slowest])})`;
      const bad = failed ? ` · ${words.failed}: ${failed}` : "";
      this.output.textContent = `${range} · ${words.slowest}: ${worst}${bad}`;
      this.figure.dataset.range = `${this.start} ${this.end}`;
    }
  }

  const timelines = new Map();
  const draw = (figure) => {
    if (!timelines.has(figure)) {
      timelines.set(figure, new Timeline(figure, courses[Number(figure.dataset.course)]));
    }
    timelines.get(figure).draw();
  };
  const figures = [...document.querySelectorAll("figure[data-course]")];
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !timelines.has(entry.target)) draw(entry.target);
    }
  }, { rootMargin: "600px" });
  const redraw = () => timelines.forEach((timeline) => timeline.draw());
  figures.forEach((figure) => near.observe(figure));
  window.addEventListener("resize", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("beforeprint", () => figures.forEach(draw));
  window.addEventListener("afterprint", redraw);

  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-goes-to]");
    const link = event.target.closest("a[href^='#']");
    const name = link ? link.getAttribute("href").slice(1) : row && row.dataset.goesTo;
    const target = name && document.getElementById(name);
    if (!target || (!link && String(window.getSelection()))) return; // selecting text is no click
    if (!link) window.location.hash = name;
    target.focus();
  });

  const table = document.getElementById("assertions");
  if (table) {
    const sought = document.getElementById("assertion-words");
    const verdict = document.getElementById("assertion-verdict");
    const rows = [...table.tBodies[0].rows];
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const filter = () => {
      const wanted = sought.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, index) => {
        const fits = (!verdict.value || row.dataset.verdict === verdict.value)
          && wanted.every((word) => texts[index].includes(word));
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      });
      document.getElementById("assertion-count").textContent = `${shown} / ${rows.length}`;
    };
    sought.addEventListener("input", filter);
    verdict.addEventListener("change", filter);
    filter();
  }
})();
