# Makes segedge@.service of segedge.service: a second agent on a box, segedge@NAME, has /etc/segedge/NAME.yaml and a state of its own. Each
# needs its own address (http.listen) and, at the broker, its own name (agent.name).
1s/.*/# A further segedge agent, by the name of its configuration: see segedge.service, of which this is made./
s#/etc/segedge/segedge\.#/etc/segedge/%i.#
s#^StateDirectory=segedge$#StateDirectory=segedge-%i#
s#^CacheDirectory=segedge$#CacheDirectory=segedge-%i#
s#^Description=segedge,#Description=segedge %i,#
