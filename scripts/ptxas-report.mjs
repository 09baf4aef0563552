// What ptxas says of kernels with -v: registers, stack and spills, once an architecture.

/** The kernels of a report, and its warnings. */
export function parseReport(text) {
  const kernels = [];
  const warnings = [];
  for (const line of text.split('\n')) {
    const entry = /Compiling entry function '(\w+)' for '(\w+)'/.exec(line);
    const frame = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    const used = /Used (\d+) registers/.exec(line);
    if (entry) kernels.push({ name: entry[1], arch: entry[2], registers: 0, stack: 0, spills: 0 });
    else if (frame)
      Object.assign(kernels.at(-1), { stack: Number(frame[1]), spills: Number(frame[2]) + Number(frame[3]) });
    else if (used) kernels.at(-1).registers = Number(used[1]);
    else if (/\bwarning\b/i.test(line)) warnings.push(line.trim());
  }
  return { kernels, warnings };
}
