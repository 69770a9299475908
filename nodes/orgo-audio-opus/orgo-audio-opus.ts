/** The node that makes Opus of PCM, in packets or as Ogg, and PCM of Opus. */
import { chooseLibrary } from '../../src/opus/choose-library';
import { opusNode } from './audio-opus';

export = opusNode(chooseLibrary);
