(() => {
  // Shows the household that the reader chooses; its data is in the page.
  const view = JSON.parse(document.getElementById("household-data").textContent);
  const choice = document.getElementById("household-choice");
  const count = view.households.length;
  const digits = (value) => Number(value.toPrecision(4)).toString();
  const share = (part, whole) => whole > 0 ? `${Math.round(100 * part / whole)}%` : "-";
  const rank = (place) => `rank ${place} of ${count}, least discomfort first`;

  view.households.forEach((own, place) => {
    choice.add(new Option(own.name ? `${own.name} (${own.id})` : own.id, place));
  });

  function facts(own) {
    const lines = [
      ["in stage 1", `plan ${own.plan} of its list (from 0), beta ${own.beta}, level ${own.level} of the tree`],
      ["as planned", `discomfort ${digits(own.planned)} kWh, ${rank(own.rankPlanned)}`],
    ];
    if (own.exchanged === null) return lines;
    const gain = own.planned - own.exchanged;
    lines.push(["after the exchange", `discomfort ${digits(own.exchanged)} kWh, ${rank(own.rankFinal)}`]);
    lines.push(["change", gain > 0
      ? `${share(gain, own.planned)} of its discomfort was removed`
      : gain < 0 ? `its discomfort rose by ${digits(-gain)} kWh` : "its discomfort did not change"]);
    if (own.requests !== null) {
      lines.push(["its requests", `${own.requests.toLocaleString("en")}, of which ${own.accepted.toLocaleString("en")} were accepted`]);
    }
    if (own.bound !== null) lines.push(["at the bound of values", `discomfort ${digits(own.bound)} kWh`]);
    return lines;
  }

  function draw(own) {
    const place = document.getElementById("household-schedule");
    const missing = document.getElementById("household-missing");
    const states = ["preferred", "planned", "exchanged"].filter((state) => state in own.schedule);
    missing.textContent = states.length ? "The demand of this household in each slot." : view.missing;
    place.style.display = states.length ? "" : "none";
    if (!states.length) return;
    const traces = states.map((state) => ({
      y: own.schedule[state], text: view.slots, name: state, mode: "lines", type: "scatter",
      line: view.lines[state], hovertemplate: `%{text}, ${state}: %{y:.4g} kWh<extra></extra>`,
    }));
    Plotly.react(place, traces, view.layout, { responsive: true, displaylogo: false });
  }

  function show() {
    const own = view.households[Number(choice.value)];
    const body = document.getElementById("household-facts");
    body.replaceChildren(...facts(own).map(([subject, text]) => {
      const row = document.createElement("tr");
      row.append(document.createElement("th"), document.createElement("td"));
      row.children[0].textContent = subject;
      row.children[1].textContent = text;
      return row;
    }));
    draw(own);
  }

  choice.value = view.first;
  choice.addEventListener("change", show);
  show();
})();
