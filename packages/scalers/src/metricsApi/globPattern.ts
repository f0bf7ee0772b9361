/** `*` is anything, `?` one character, `\` before a character means itself. The whole text has to fit. */
export function globPattern(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at] ?? '';
    if (character === '*') {
      // Several in a row mean the same, and would take forever to fit.
      if (!source.endsWith('.*')) source += '.*';
    } else if (character === '?') source += '.';
    else {
      if (character === '\\' && at + 1 < glob.length) at++;
      source += (glob[at] ?? '').replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'su');
}
