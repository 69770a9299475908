/** What the editor knows of a password that the run time keeps. */

/** Node-RED shows it in place of the password, and saves nothing where it was left as it is. */
export const KEPT = '__PWRD__';
