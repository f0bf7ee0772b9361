import { raw } from './html.ts';

const light = `--paper:#f5f7f6;--card:#fff;--ink:#14201e;--quiet:#5d6d69;--line:#dfe6e4;--ready:#0f766e;--ready-tint:#cfe4e2;
--starting:#b45309;--starting-tint:#f8e3c6;--demand:#7c3aed;--bad:#b91c1c;--shadow:0 1px 2px #0b1f1a14,0 8px 24px #0b1f1a0d`;
const dark = `--paper:#0c1413;--card:#131e1c;--ink:#e6efed;--quiet:#93a5a1;--line:#243330;--ready:#2dd4bf;--ready-tint:#17433e;
--starting:#fbbf24;--starting-tint:#473a18;--demand:#a78bfa;--bad:#fca5a5;--shadow:none`;

/** The colours of the dashboard; on paper always the light ones. */
export const styles = raw(`
:root{color-scheme:light dark;${light};font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
@media screen and (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink)}
h1,h2,h3,p,figure,ul,dl,dd{margin:0}
main,header,footer{max-width:1180px;margin:0 auto;padding:0 24px}
header{padding-top:28px;padding-bottom:8px}
h1{font-size:24px;letter-spacing:-.02em;display:flex;align-items:center;gap:12px}
h2{font-size:20px;letter-spacing:-.01em;overflow-wrap:anywhere}
h3{font-size:12px;font-weight:600;text-transform:uppercase;letter-spacing:.06em;color:var(--quiet);margin:22px 0 6px}
.logo{width:34px;height:34px;flex:none}.logo rect{fill:#0f766e}.logo path{fill:none;stroke:#fff;stroke-width:3;stroke-linecap:round}
.quiet{color:var(--quiet);font-size:13px}
code{font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;box-shadow:var(--shadow);padding:20px 22px;margin:16px 0}
section>p{max-width:86ch;margin-top:6px}
.words{padding-left:1.1em;margin-top:8px;max-width:90ch}.words li{margin:4px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet);font-size:13px;padding-bottom:6px}
th,td{padding:5px 8px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--quiet);vertical-align:bottom}thead th{white-space:normal;line-height:1.25}tbody th{color:var(--ink)}
th:first-child,td:first-child{text-align:left;padding-left:0}
tr.missed>*{color:var(--quiet)}tr.missed td.share{color:var(--bad)}
tr.best>*{background:color-mix(in srgb,var(--ready-tint) 45%,transparent)}tr.best th{box-shadow:inset 3px 0 var(--ready);padding-left:10px}
tbody th:first-child{padding-left:10px}
.badge{display:inline-block;border-radius:99px;padding:0 8px;font-size:11.5px;line-height:19px;font-weight:600;white-space:nowrap}
.badge.kept{background:var(--ready-tint);color:var(--ready)}.badge.lost{border:1px solid var(--line);color:var(--quiet);font-weight:400}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:16px 20px;margin-top:6px}
figure{break-inside:avoid}
figcaption{font-size:13.5px;display:flex;flex-wrap:wrap;gap:2px 8px;align-items:baseline;margin-bottom:2px}
figcaption b{overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto}svg text{font:11px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--quiet)}
.end{text-anchor:end}.middle{text-anchor:middle}svg text.name{fill:var(--ink);font-weight:600}svg text.label{font-size:12px}svg text.over{fill:var(--starting);paint-order:stroke;stroke:var(--card);stroke-width:4px}svg text.least{fill:var(--demand)}
.grid{stroke:var(--line);fill:none}.promise{stroke:var(--bad);fill:none;stroke-dasharray:3 3}
.billed{fill:var(--starting-tint)}.ready{fill:var(--ready-tint)}.ready-line{fill:none;stroke:var(--ready);stroke-width:1.4}
.demand{fill:none;stroke:var(--demand);stroke-width:1.1}.arrivals{fill:color-mix(in srgb,var(--demand) 25%,transparent);stroke:var(--demand);stroke-width:.8}
.wait{fill:color-mix(in srgb,var(--quiet) 55%,var(--card))}.wait.late{fill:var(--bad)}
.sum{fill:none;stroke:var(--quiet);stroke-width:1.2}.sum.best{stroke:var(--ready);stroke-width:2.6}.sum.lost{stroke-dasharray:4 3}
.bound{stroke:var(--demand);fill:none;stroke-dasharray:1 3;stroke-linecap:round;stroke-width:1.6}
.dot{fill:var(--ready);stroke:var(--card);stroke-width:1.5}.dot.lost{fill:var(--card);stroke:var(--quiet)}.mean{stroke:var(--ink);stroke-width:2}
.hover rect{fill:transparent}.hover rect:hover{fill:color-mix(in srgb,var(--ink) 9%,transparent)}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;color:var(--quiet);font-size:12.5px;margin:2px 0 8px}
.legend i{display:inline-block;width:16px;height:10px;margin-right:6px;vertical-align:-1px;border-radius:2px}
.legend .line{height:0;border-top:2px solid;border-radius:0;vertical-align:4px}
footer{padding-top:4px;padding-bottom:40px}footer p{margin:4px 0}
@media print{
@page{size:A4;margin:12mm}
:root{color-scheme:light;font-size:10.5px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{background:none}main,header,footer{max-width:none;padding:0}header{padding-bottom:6px}
h1{font-size:19px}h2{font-size:15px}h3{font-size:9.5px;margin:12px 0 4px}caption{font-size:9.5px}.badge{font-size:8.5px;line-height:13px;padding:0 6px}table{font-size:9.5px}th,td{padding:2px 5px}.quiet,.legend,figcaption{font-size:10px}
section{box-shadow:none;border:0;border-top:1px solid var(--line);border-radius:0;padding:10px 0;margin:8px 0}
section.trace{break-before:page;border-top:0}.panels{grid-template-columns:repeat(3,1fr);gap:8px 12px}
.scroll{overflow:visible}.hover{display:none}h2,h3{break-after:avoid}tr{break-inside:avoid}
}`);
