/* The drawing board: strokes of a pen, kept as lines, shown to the networks of this page after each of them. */
(() => {
  "use strict";
  const SIDE = 280; // the board's own units, whatever its size on the screen
  const named = (name) => document.getElementById(`board-${name}`);
  const pad = named("pad"), seen = named("seen"), answer = named("answer"), rows = [...named("bars").tBodies[0].rows];
  const WIDTH = Number(pad.dataset.pen);
  const names = [...named("bars").tHead.querySelectorAll(".asked")].map((cell) => cell.textContent);
  const start = answer.textContent;
  let strokes = [], pen = null, kept = null, due = 0;

  /** The networks, decoded when they are first needed. */
  function asked() {
    if (!kept) {
      kept = JSON.parse(named("networks").textContent);
      kept.networks = kept.networks.map(fcnbench.decoded);
    }
    return kept;
  }

  function show() {
    due = 0;
    const box = pad.getBoundingClientRect(), side = Math.max(1, Math.round(box.width * devicePixelRatio));
    if (pad.width !== side) pad.width = pad.height = side;
    const to = pad.getContext("2d"), scale = side / SIDE;
    to.setTransform(scale, 0, 0, scale, 0, 0);
    to.clearRect(0, 0, SIDE, SIDE);
    to.lineCap = to.lineJoin = "round";
    to.strokeStyle = to.fillStyle = "#fff";
    to.lineWidth = WIDTH;
    for (const stroke of strokes) {
      to.beginPath();
      to.arc(...stroke[0], to.lineWidth / 2, 0, 2 * Math.PI); // a stroke without a length is a dot
      to.fill();
      to.beginPath();
      for (const point of stroke) to.lineTo(...point);
      to.stroke();
    }
  }

  /** Shown with the next picture of the screen, however many points came since. */
  function soon() {
    if (!due) due = requestAnimationFrame(show);
  }

  const percent = (share) => `${(100 * share).toFixed(1)} %`;

  function predict() {
    const { networks } = asked(), bytes = fcnbench.picture(fcnbench.inked(strokes, SIDE, WIDTH), SIDE, SIDE);
    if (!bytes) {
      blank("Draw something first: the board is empty.");
      return;
    }
    const found = networks.map((network) => fcnbench.probabilities(network, bytes));
    const said = found.map((shares) => shares.indexOf(Math.max(...shares)));
    rows.forEach((row, digit) => found.forEach((shares, i) => {
      const cell = row.cells[i + 1];
      cell.firstElementChild.style.setProperty("--share", shares[digit]);
      cell.lastElementChild.textContent = percent(shares[digit]);
      cell.classList.toggle("said", said[i] === digit);
    }));
    const sure = said.map((digit, i) => `${names[i]} ${percent(found[i][digit])}`);
    answer.textContent = said.length > 1 && said.every((digit) => digit === said[0])
      ? `Both say ${said[0]}: ${sure.join(", ")}.`
      : `${said.map((digit, i) => `${names[i]} says ${digit}: ${percent(found[i][digit])}`).join("; ")}.`;
    picture(bytes);
  }

  function picture(bytes) {
    const to = seen.getContext("2d"), image = to.createImageData(28, 28);
    bytes.forEach((byte, i) => image.data.set([byte, byte, byte, 255], 4 * i));
    to.putImageData(image, 0, 0);
  }

  /** Nothing drawn, nothing said but this. */
  function blank(text) {
    answer.textContent = text;
    seen.getContext("2d").clearRect(0, 0, 28, 28);
    for (const row of rows) {
      for (const cell of [...row.cells].slice(1)) {
        cell.firstElementChild.style.setProperty("--share", 0);
        cell.lastElementChild.textContent = "";
        cell.classList.remove("said");
      }
    }
  }

  function at(event) {
    const box = pad.getBoundingClientRect();
    return [SIDE * (event.clientX - box.left) / box.width, SIDE * (event.clientY - box.top) / box.height];
  }

  pad.addEventListener("pointerdown", (event) => {
    if (pen !== null || event.button !== 0) return; // one pen at a time: a second finger draws nothing
    event.preventDefault();
    pen = event.pointerId;
    try {
      pad.setPointerCapture(pen); // a stroke may leave the board and come back
    } catch { /* a pen that is gone already, or a script's */ }
    strokes.push([at(event)]);
    soon();
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pen) return;
    const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of all.length ? all : [event]) strokes[strokes.length - 1].push(at(one));
    soon();
  });
  function lifted(event) {
    if (event.pointerId !== pen) return;
    pen = null;
    if (event.type === "pointerup") strokes[strokes.length - 1].push(at(event));
    soon();
    predict();
  }
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) pad.addEventListener(name, lifted);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, lifted);

  named("predict").addEventListener("click", predict);
  named("clear").addEventListener("click", () => {
    strokes = [];
    pen = null; // what is left of a stroke that is being drawn is not taken
    blank(start);
    soon();
  });

  named("off").hidden = true;
  named("on").hidden = false;
  new ResizeObserver(soon).observe(pad);
  addEventListener("resize", soon); // also when the page is zoomed or comes to another screen
  show();
})();
