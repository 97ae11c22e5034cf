/* A click on a column's heading sorts its table: upwards, downwards, as it was. Rows stay within their group. */
(() => {
  "use strict";
  const UNITS = { ms: 1e-3, min: 60, h: 3600, kB: 1e3, MB: 1e6, GB: 1e9 };
  const NUMBER = /^(?:at most |about |over |under |<|>|≤|≥)*\s*([+−-]?[\d,]*\.?\d+(?:[eE][+-]?\d+)?)(?:–[\d.,]+)?\s*(ms|min|h|kB|MB|GB)?(?![a-zA-Z])/;
  const letters = new Intl.Collator("en", { numeric: true });

  /** The cell of a row in a column, where cells may span several. */
  function cellOf(row, column) {
    let seen = 0;
    return [...row.cells].find((cell) => (seen += cell.colSpan) > column);
  }

  /** A cell as a number, by its first line; null where it is none. */
  function number(cell) {
    const copy = cell.cloneNode(true);
    for (const below of copy.querySelectorAll("small")) below.remove();
    const found = NUMBER.exec(copy.textContent.trim());
    return found ? Number(found[1].replaceAll(",", "").replace("−", "-")) * (UNITS[found[2]] ?? 1) : null;
  }

  function sorted(rows, column, turn) {
    const keyed = rows.map((row) => {
      const cell = cellOf(row, column), text = cell.textContent.trim().replace(/\s+/g, " ");
      return { row, text, missing: cell.hasAttribute("data-absent"), number: number(cell) };
    });
    const there = keyed.filter((item) => !item.missing), figures = there.every((item) => item.number !== null);
    there.sort((a, b) => turn * (figures ? a.number - b.number : letters.compare(a.text, b.text)));
    return [...there, ...keyed.filter((item) => item.missing)].map((item) => item.row);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], before = [...body.rows], headings = [...table.tHead.rows[0].cells];
    const groups = before.reduce((found, row) => {
      if (row.classList.contains("group") || !found.length) found.push([]);
      found[found.length - 1].push(row);
      return found;
    }, []);
    headings.forEach((heading, column) => {
      if (!heading.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const turn = { ascending: "descending", descending: "" }[heading.getAttribute("aria-sort")] ?? "ascending";
        for (const other of headings) other.removeAttribute("aria-sort");
        if (turn) heading.setAttribute("aria-sort", turn);
        for (const group of groups) {
          const head = group.filter((row) => row.classList.contains("group")), rows = group.slice(head.length);
          body.append(...head, ...(turn ? sorted(rows, column, turn === "ascending" ? 1 : -1) : rows));
        }
      });
    });
  }
})();
