#pragma once

class QProcess;

namespace vivavoce::platform {

/// Before it is started: it gets a process group of its own, for whatever it starts, and on Linux ends with us.
void tieToUs(QProcess& process);
/// It is killed with its group; it is still to be waited for.
void killGroup(QProcess& process);

} // namespace vivavoce::platform
