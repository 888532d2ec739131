// Pointing at a sample of the map shows its glyph beside the pointer; a click or a tap chooses it, in 2-D and in 3-D.
// Plotly's own hover shows text only. The glyph of one sample is fetched when it is pointed at: 70,000 would be 20 MB.
const PAUSE_MS = 70; // the pointer must rest so long, or each sample on its way would be fetched

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const self = (parentElement.inkling ??= { over: "", timer: 0, known: new Map(), plots: new WeakSet() });
  self.set = setStateValue;
  self.click = setTriggerValue;
  if (self.map !== data.map) {
    self.map = data.map;
    self.known.clear();
  }
  if (data.sample) self.known.set(data.sample, data);
  let card = parentElement.querySelector(".card");
  if (!card) {
    card = document.createElement("div");
    card.className = "card";
    card.style.cssText =
      "position:fixed;z-index:999;display:none;pointer-events:none;padding:6px 8px;border-radius:8px;" +
      "background:#16181d;color:#fff;font:13px/1.35 sans-serif;box-shadow:0 2px 10px rgba(0,0,0,.3);max-width:190px";
    card.append(document.createElement("img"), document.createElement("div"));
    card.firstChild.style.cssText = "display:block;width:84px;height:84px;image-rendering:pixelated;border-radius:4px";
    parentElement.append(card);
  }

  const show = () => {
    const known = self.known.get(self.over);
    if (!known) {
      card.style.display = "none";
      return;
    }
    card.firstChild.src = known.glyph;
    card.lastChild.innerText = known.text;
    card.style.display = "block";
    const right = self.x + 18 + card.offsetWidth > window.innerWidth;
    card.style.left = `${Math.max(4, right ? self.x - 18 - card.offsetWidth : self.x + 18)}px`;
    card.style.top = `${Math.max(4, Math.min(self.y + 18, window.innerHeight - card.offsetHeight - 4))}px`;
  };

  const sampleOf = (event) => {
    const point = event.points?.[0];
    if (!point || point.curveNumber >= data.traces) return "";
    return `${point.curveNumber}:${point.pointNumber}`;
  };

  const listen = (plot) => {
    self.plots.add(plot);
    plot.on("plotly_hover", (event) => {
      self.over = sampleOf(event);
      self.x = event.event?.clientX ?? self.x ?? 0;
      self.y = event.event?.clientY ?? self.y ?? 0;
      clearTimeout(self.timer);
      if (self.over && !self.known.has(self.over)) {
        const wanted = self.over;
        self.timer = setTimeout(() => self.over === wanted && self.set("pointed", wanted), PAUSE_MS);
      }
      show();
    });
    plot.on("plotly_unhover", () => {
      self.over = "";
      clearTimeout(self.timer);
      show();
    });
    plot.on("plotly_click", (event) => {
      const sample = sampleOf(event);
      if (sample) self.click("clicked", sample);
    });
  };

  const look = () => {
    const plot = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    if (plot?.on && !self.plots.has(plot)) listen(plot);
  };
  look();
  show();
  const watch = setInterval(look, 300); // the chart may be drawn anew at any time
  return () => clearInterval(watch);
}
