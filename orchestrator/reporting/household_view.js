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
    if (own.comfort.length) {
      lines.splice(1, 1, ...own.comfort);
      if (own.requests !== null) {
        lines.push(["its requests", `${own.requests.toLocaleString("en")}, of which ${own.accepted.toLocaleString("en")} were accepted`]);
      }
      return lines;
    }
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

  function drawDevices(own) {
    // One pair of axes for each device: in each state.
    const place = document.getElementById("household-devices");
    const shown = own.devices.filter((device) => Object.keys(device.states).length);
    place.style.display = shown.length ? "" : "none";
    document.getElementById("household-kinds").style.display = shown.length ? "" : "none";
    if (!shown.length) return;
    const layout = structuredClone(view.layout), traces = [];
    layout.height = 90 + 84 * shown.length;
    layout.margin.t = 50;
    delete layout.yaxis;
    shown.forEach((device, row) => {
      const number = row ? row + 1 : "", top = 1 - row / shown.length;
      layout[`yaxis${number}`] = {
        domain: [top - 0.82 / shown.length, top], automargin: true, rangemode: "tozero", nticks: 4,
      };
      layout.annotations = [...(layout.annotations || []), {
        text: device.name, xref: "paper", yref: "paper", x: 0.01, y: top, xanchor: "left",
        yanchor: "top", showarrow: false,
      }];
      for (const state of ["preferred", "planned", "exchanged"]) {
        const values = device.states[state];
        if (!values) continue;
        traces.push({
          y: values.map((value) => view.factor * value), text: view.slots, name: state,
          legendgroup: state, showlegend: !traces.some((trace) => trace.name === state),
          mode: "lines", type: "scatter", yaxis: `y${number}`,
          line: { ...view.lines[state], shape: "hvh" },
          hovertemplate: `%{text}, ${device.name}, ${state}: %{y:.3g} ${view.unit}<extra></extra>`,
        });
      }
    });
    layout.xaxis = { ...layout.xaxis, anchor: `y${shown.length > 1 ? shown.length : ""}` };
    Plotly.react(place, traces, layout, { responsive: true, displaylogo: false });
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
    drawDevices(own);
  }

  choice.value = view.first;
  choice.addEventListener("change", show);
  show();
})();
