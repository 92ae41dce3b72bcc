"use strict";
// Sorts a table by the column whose heading is clicked; what has no value stays at the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const value = (row) => {
        const cell = row.cells[column];
        return cell.dataset.value === undefined ? cell.textContent : parseFloat(cell.dataset.value);
      };
      const isEmpty = (a) => a === "" || Number.isNaN(a);
      const compare = (a, b) => {
        if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
        const order = typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
        return sign * order;
      };
      const body = table.tBodies[0];
      const rows = Array.from(body.rows).map((row) => [value(row), row]);
      rows.sort((a, b) => compare(a[0], b[0]));
      body.append(...rows.map((pair) => pair[1]));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
    });
  });
}
// A point of a plot leads into the table; what is folded around a target is unfolded.
window.addEventListener("hashchange", () => {
  const target = document.getElementById(location.hash.slice(1));
  const fold = target && target.closest("details");
  if (fold) fold.open = true;
});
