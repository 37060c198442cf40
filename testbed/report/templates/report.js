"use strict";
(() => {
  const plane = document.getElementById("plane");
  if (!plane) return;
  const data = JSON.parse(document.getElementById("data").textContent);
  const hair = plane.querySelector(".hair");
  const tip = plane.querySelector(".tip");
  const place = (x, y, text) => {
    tip.textContent = text;
    tip.hidden = false;
    const room = plane.clientWidth;
    const left = x + 14 + tip.offsetWidth > room ? Math.max(0, x - 14 - tip.offsetWidth) : x + 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(26, y)}px`;
  };
  const clear = () => { hair.hidden = true; tip.hidden = true; };
  const read = (event) => {
    const box = plane.getBoundingClientRect();
    const x = Math.min(box.width, Math.max(0, event.clientX - box.left));
    const y = event.clientY - box.top;
    const mark = event.target.closest(".mark");
    if (mark) {
      hair.hidden = true;
      place(x, y - 20, mark.dataset.text);
      return;
    }
    const last = data.wall.length - 1;
    const i = Math.min(last, Math.floor(x / box.width * data.wall.length));
    hair.hidden = false;
    hair.style.left = `${x}px`;
    const lost = data.lost[i] ? `\nlost ${data.lost[i]}` : "";
    const short = data.balancers.every((one) => one.name.length < 9);
    const served = data.balancers.map((one) => `${one.name} ${one.rates[i]}/s`).join(short ? "   " : "\n");
    place(x, 26, `${data.production[i]}  (${data.wall[i].toFixed(1)} s)\n${served}${lost}\np50 ${data.p50[i]}   p99 ${data.p99[i]}`);
  };
  plane.addEventListener("pointermove", read);
  plane.addEventListener("pointerdown", read);
  plane.addEventListener("pointerleave", clear);
  plane.addEventListener("focusin", (event) => {
    const mark = event.target.closest(".mark");
    if (mark) place(mark.offsetLeft, mark.parentElement.offsetTop - 20, mark.dataset.text);
  });
  plane.addEventListener("focusout", clear);
})();
