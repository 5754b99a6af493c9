// Read by moc before each test: Qt 6.4's trips over <concepts> and <chrono> of libstdc++ 12 when they come first.
#include <string>
