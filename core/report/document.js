// Draws every figure from the JSON beside it; on a phone's width from the narrow variant, where there is one.
const phone = window.matchMedia("(max-width: 600px)");
const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };

function draw() {
  for (const plot of document.querySelectorAll(".plot")) {
    const variants = JSON.parse(plot.nextElementSibling.textContent);
    const figure = variants[phone.matches && variants.length > 1 ? 1 : 0];
    plot.style.height = `${figure.layout.height || 400}px`;
    plot.style.minHeight = "";
    Plotly.newPlot(plot, figure.data, figure.layout, options).then(() => {
      if (figure.frames) Plotly.addFrames(plot, figure.frames);
    });
  }
}

// On paper a figure is as wide as the page lets it, not as the window was.
function fit(width) {
  for (const plot of document.querySelectorAll(".plot")) {
    if (width && plot.clientWidth > width) Plotly.relayout(plot, { width, autosize: false });
    else if (!width) Plotly.relayout(plot, { width: null, autosize: true });
  }
}

draw();
phone.addEventListener("change", draw);
window.addEventListener("beforeprint", () => fit(700));
window.addEventListener("afterprint", () => fit(null));
