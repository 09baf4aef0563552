// The page's style sheet: one column on a phone, tables that scroll inside themselves, nothing fetched from anywhere.

export const STYLE = `
:root { color-scheme: light; --ink: #1f2937; --soft: #6b7280; --line: #e5e7eb; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.25rem 1rem 4rem; color: var(--ink); background: #fff;
  font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .1rem; }
p { margin: .5rem 0; max-width: 46rem; }
.document { color: var(--soft); margin-top: 0; }
.findings { margin: 1.25rem 0; padding: .25rem 1rem; border-left: 4px solid var(--accent); background: #f0f7fc; }
.findings p:first-child { font-size: 1.1rem; font-weight: 500; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem 1.5rem; margin: 1.25rem 0; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; font-size: .95rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1.75rem 1.5rem; margin: 1rem 0; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; margin-top: .4rem; }
figcaption { color: var(--soft); font-size: .85rem; line-height: 1.45; }
.scroll { overflow-x: auto; margin: .75rem 0; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.caption { color: var(--soft); font-size: .85rem; margin: 1rem 0 0; }
th, td { padding: .4rem .75rem .4rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 500; color: var(--soft); border-bottom-color: #9ca3af; }
td.number, th.number { text-align: right; }
td.number, table.wide td:first-child { white-space: nowrap; }
th { vertical-align: bottom; }
.claims td { overflow-wrap: anywhere; }
.claims td:nth-child(1) { width: 38%; }
.claims.entries td:nth-child(1), .claims.all td.group { width: 9.5rem; }
.claims.all td.claim { width: 34%; }
.claims.entries .verdict { margin: 0 0 .2rem; }
.claims.entries td:nth-child(4) { white-space: nowrap; }
td.group b { position: sticky; top: .5rem; }
td small { display: block; color: var(--soft); font-size: .8rem; line-height: 1.4; margin-top: .15rem; }
a { color: var(--accent); }
.verdict { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .85rem; font-weight: 600; white-space: nowrap; }
.yes { background: #d9f2e6; color: #00573d; } .no { background: #fde3d3; color: #8a3a00; }
.partly { background: #fdf0cc; color: #6b4e00; } .open { background: #eef0f3; color: #4b5563; }
code { font: .88em ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: #f3f4f6; padding: .1em .3em; border-radius: .25rem; }
@media (max-width: 40rem) {
  .claims thead { display: none; }
  .claims tr { display: block; padding: .9rem 0; border-bottom: 1px solid #9ca3af; }
  .claims td { display: block; width: auto !important; border: 0; padding: .15rem 0; }
  .claims td[data-title]::before { content: attr(data-title); display: block; color: var(--soft); font-size: .78rem; }
  table.wide { min-width: 46rem; }
}
@media print { figure, tr { break-inside: avoid; } }
`;
