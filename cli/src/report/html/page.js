// Steps through the findings. The page says all of it without this script, as it is in the end.
(() => {
  "use strict";
  const players = [];
  let current = null;

  // "3-7 9-": shown from step 3 to before 7, and from 9 on.
  const within = (spans, step) => spans.split(" ").some((span) => {
    const [from, to] = span.split("-");
    return step >= Number(from) && (to === "" || step < Number(to));
  });

  const scrollInside = (box, row) => {
    if (!box || !row) return;
    const above = row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    const head = box.querySelector("thead");
    const top = head ? head.offsetHeight : 0;
    if (above < top || above + row.offsetHeight > box.clientHeight) {
      box.scrollTop += above - (box.clientHeight - row.offsetHeight) / 2;
    }
  };

  const scrollAside = (box, cell) => {
    const [inner, outer] = [cell.getBoundingClientRect(), box.getBoundingClientRect()];
    if (inner.left < outer.left) box.scrollLeft += inner.left - outer.left;
    else if (inner.right > outer.right) {
      box.scrollLeft += Math.min(inner.right - outer.right, inner.left - outer.left);
    }
  };

  const player = (article) => {
    const controls = article.querySelector(".player");
    if (!controls) return null;
    const last = Number(article.dataset.steps);
    const slider = controls.querySelector("input");
    const rows = [...article.querySelectorAll(".steps tbody tr")];
    const spans = [...article.querySelectorAll("[data-spans]")];
    const at = controls.querySelector(".at");
    const now = controls.querySelector(".now");
    let step = last;
    let line = null;

    const sourceLine = (row) => {
      const link = row.querySelector(".where a");
      return link && document.getElementById(link.getAttribute("href").slice(1));
    };

    const show = (wanted, quiet) => {
      const next = Math.min(last, Math.max(1, Math.round(wanted) || 1));
      rows[step - 1].classList.remove("now");
      rows[step - 1].removeAttribute("aria-current");
      for (let i = Math.min(step, next); i < Math.max(step, next); i += 1) {
        rows[i].classList.toggle("later", next < step);
      }
      step = next;
      const row = rows[step - 1];
      row.classList.remove("later");
      row.classList.add("now");
      row.setAttribute("aria-current", "step");
      for (const one of spans) one.classList.toggle("off", !within(one.dataset.spans, step));
      if (line) line.classList.remove("now");
      line = sourceLine(row);
      if (line) line.classList.add("now");
      slider.value = String(step);
      at.textContent = String(step);
      const cell = row.querySelector("td.act");
      const name = row.dataset.thread;
      slider.setAttribute("aria-valuetext", `step ${step}: ${name} ${cell.textContent}`);
      now.textContent = "";
      const bold = document.createElement("b");
      bold.textContent = name;
      now.append(bold, " ", cell.textContent.trim());
      if (quiet) return;
      scrollInside(row.closest(".scroll"), row);
      scrollAside(row.closest(".scroll"), cell);
      if (line) scrollInside(line.closest(".scroll"), line);
      current = self;
      const prefix = players.length > 1 ? `${article.id}&` : "";
      history.replaceState(null, "", `#${prefix}step=${step}`);
    };

    const go = { first: () => 1, back: () => step - 1, on: () => step + 1, last: () => last };
    for (const button of controls.querySelectorAll("button")) {
      button.addEventListener("click", () => show(go[button.dataset.go]()));
    }
    slider.addEventListener("input", () => show(Number(slider.value)));
    for (const link of article.querySelectorAll(".steps th a")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        show(rows.indexOf(link.closest("tr")) + 1);
      });
    }
    controls.hidden = false;
    const self = { article, show, go };
    show(last, true);
    return self;
  };

  for (const article of document.querySelectorAll("article.finding")) {
    const one = player(article);
    if (one) players.push(one);
  }

  // The finding that takes most of the screen.
  const inView = () => {
    const visible = ({ article }) => {
      const { top, bottom } = article.getBoundingClientRect();
      return Math.min(bottom, innerHeight) - Math.max(top, 0);
    };
    if (current && visible(current) > innerHeight / 4) return current;
    return players.reduce((best, one) => (!best || visible(one) > visible(best) ? one : best), null);
  };

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = event.target;
    // The slider knows these keys itself.
    if (target.matches && target.matches("input, textarea, select")) return;
    const keys = { ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last" };
    const one = keys[event.key] && inView();
    if (!one) return;
    event.preventDefault();
    one.show(one.go[keys[event.key]]());
  });

  const follow = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    const found = /^(?:(f\d+)(?:&|-s))?(?:step=)?(\d+)$/.exec(hash);
    if (!found || (!found[1] && !hash.startsWith("step="))) return;
    const one = found[1] ? players.find(({ article }) => article.id === found[1]) : players[0];
    if (!one) return;
    one.show(Number(found[2]));
    one.article.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();

  for (const button of document.querySelectorAll("button.copy")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
})();
