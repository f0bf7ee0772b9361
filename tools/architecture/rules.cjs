// The one direction of imports, as data for dependency-cruiser. ARCHITECTURE.md shows the same picture.
const mayImport = {
  documents: [],
  core: ['documents'],
  engine: ['documents', 'core'],
  link: ['documents', 'core'],
  scalers: ['documents', 'core'],
  drivers: ['documents', 'core', 'link'],
  providers: ['documents', 'core'],
  gateway: ['documents', 'core', 'link'],
  solver: ['core'],
  catalogue: ['documents', 'core'],
  dashboard: ['documents'],
  client: ['documents'],
  kubernetes: ['documents', 'core', 'engine', 'scalers'],
  controller: [
    'documents',
    'core',
    'engine',
    'link',
    'scalers',
    'drivers',
    'providers',
    'gateway',
    'solver',
    'catalogue',
    'dashboard',
    'kubernetes',
  ],
  simulator: ['documents', 'core', 'engine'],
  cli: [
    'documents',
    'core',
    'engine',
    'scalers',
    'client',
    'controller',
    'simulator',
    'solver',
    'catalogue',
    'drivers',
    'providers',
    'kubernetes',
  ],
  testing: ['documents', 'core', 'engine', 'scalers', 'drivers', 'providers', 'gateway'],
};

const packages = Object.keys(mayImport).join('|');

/** @param {string} base folder that holds the packages, as a regular expression without a leading ^ */
function rulesFor(base) {
  const directions = Object.entries(mayImport).map(([name, allowed]) => ({
    name: `${name}-imports-only-${allowed.join('-') || 'nothing'}`,
    severity: 'error',
    from: { path: `^${base}/${name}/src/`, pathNot: '\\.(test|fixture)\\.ts$' },
    to: { path: `^${base}/(${packages})/`, pathNot: `^${base}/(${[name, ...allowed].join('|')})/` },
  }));
  const pure = ['documents', 'core', 'engine'].map((name) => ({
    name: `${name}-is-pure`,
    severity: 'error',
    from: { path: `^${base}/${name}/src/`, pathNot: '\\.(test|fixture)\\.ts$' },
    to: { dependencyTypes: ['core'] },
  }));
  return [
    ...directions,
    ...pure,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: `^${base}/`, pathNot: ['\\.(test|fixture)\\.ts$', `^${base}/testing/`] },
      to: { path: ['\\.test\\.ts$', `^${base}/testing/`] },
    },
  ];
}

module.exports = { mayImport, rulesFor };
