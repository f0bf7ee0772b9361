// Within the Containerfile: installs what running needs and compiles the command, as `npm start` does.
import { build, findNode, install } from '../launch/node24.mjs';

install('run');
build(findNode(), undefined, 'packages/cli');
