#pragma once

#include <QtGlobal>

class QProcess;

namespace vivavoce::platform {

/// Before it is started: it gets a process group of its own, for whatever it starts, and on Linux ends with us.
void tieToUs(QProcess& process);
/// It is killed with its group; it is still to be waited for.
void killGroup(QProcess& process);
/// What is left of the group of one that has just ended, by the id that it had. Later that id may be another's.
void killRestOfGroup(qint64 leader);

} // namespace vivavoce::platform
