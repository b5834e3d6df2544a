/* On a phone the rows of a list are cards: each value says what it is, and stays a cell for screen readers. */

const table = document.querySelector("#result_list");

if (table) {
  // The name alone: a column that is sorted by has its place in the order beside it.
  const heads = [...table.querySelectorAll("thead th")].map((head) =>
    (head.querySelector(".text") ?? head).innerText.trim(),
  );
  table.setAttribute("role", "table");
  for (const group of table.querySelectorAll("thead, tbody")) {
    group.setAttribute("role", "rowgroup");
  }
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, index) => {
      const isHead = cell.tagName === "TH";
      const headRole = cell.closest("thead") ? "columnheader" : "rowheader";
      cell.setAttribute("role", isHead ? headRole : "cell");
      if (!isHead && heads[index]) {
        cell.dataset.label = heads[index];
      }
      if (cell.innerText.trim() === "–") {
        cell.dataset.empty = "";
      }
    });
  }
}
