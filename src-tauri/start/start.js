// Shows what keeps Flotilla from starting. The shell puts it into the fragment, and acts on the links itself.
const show = () => {
  if (!location.hash) return;
  const { title, message, actions } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  document.getElementById('title').textContent = title;
  document.getElementById('message').textContent = message;
  document.getElementById('actions').replaceChildren(...actions.map(({ label, path }) => {
    const link = document.createElement('a');
    link.href = path;
    link.textContent = label;
    return link;
  }));
  document.querySelector('#actions a')?.focus();
};
addEventListener('hashchange', show);
show();
